import { Configuration, type Clock, type Connection, type InputStatus, type MetricGroup, type Net, type ReaderOutput, type Source, type SourceReader, type SourceReaderContext, type SourceSplit, type SplitEnumerator, type SplitEnumeratorContext } from "@millrace/core";

/** Time that only moves when told to; timers fire in order. */
export class ManualClock implements Clock {
  now = 0;
  #timers: { at: number; action: () => void }[] = [];
  nowMs(): number {
    return this.now;
  }
  monotonicMs(): number {
    return this.now;
  }
  setTimer(delayMs: number, action: () => void): { cancel(): void } {
    const timer = { at: this.now + delayMs, action };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }
  yieldThen(action: () => void): void {
    queueMicrotask(action);
  }
  /** Goes to the next timer; false when there is none. */
  advance(): boolean {
    this.#timers.sort((a, b) => a.at - b.at);
    const next = this.#timers.shift();
    if (next === undefined) return false;
    this.now = Math.max(this.now, next.at);
    next.action();
    return true;
  }
}

const counter = { inc() {}, dec() {}, count: 0 };
export const noMetrics: MetricGroup = {
  counter: () => counter, gauge: (_name, read) => ({ get value() { return read(); } }), meter: () => ({ markEvent() {}, rate: 0, count: 0 }),
  histogram: () => ({ update() {}, count: 0, quantile: () => Number.NaN }), addGroup: () => noMetrics,
};

interface Checkpoint {
  readonly enumerator: unknown;
  readonly readers: readonly (readonly SourceSplit[])[];
  /** Records emitted before it. */
  readonly emitted: number;
}

/**
 * Runs a source the way a cluster does, by hand: one enumerator, a reader per subtask, messages in order. State goes through the source's codecs (or JSON), so that
 * what a snapshot forgets is lost.
 */
export class SourceDriver<T> {
  readonly clock: ManualClock;
  readonly records: T[] = [];
  readonly status: InputStatus[];
  readonly #source: Source<T, any, any>;
  readonly #parallelism: number;
  readonly #net: Net | undefined;
  readonly #readers: SourceReader<T, SourceSplit>[] = [];
  readonly #registered = new Set<number>();
  readonly #mail: (() => void)[] = [];
  #enumerator: SplitEnumerator<SourceSplit, unknown> | undefined;
  #pendingWork = 0;

  constructor(source: Source<T, any, any>, parallelism = 1, options: { readonly net?: Net; readonly clock?: ManualClock } = {}) {
    this.#source = source;
    this.#parallelism = parallelism;
    this.#net = options.net;
    this.clock = options.clock ?? new ManualClock();
    this.status = Array.from({ length: parallelism }, () => "nothing-available");
  }

  async start(from?: Checkpoint): Promise<this> {
    this.#enumerator = await this.#source.createEnumerator(this.#enumeratorContext(), from?.enumerator);
    await this.#enumerator.start();
    for (let subtask = 0; subtask < this.#parallelism; subtask++) {
      const reader = this.#source.createReader(this.#readerContext(subtask));
      this.#readers.push(reader);
      const splits = from?.readers[subtask] ?? [];
      if (splits.length > 0) reader.addSplits(splits);
      this.#registered.add(subtask);
      this.#mail.push(() => this.#enumerator!.addReader(subtask));
      await reader.start();
    }
    return this;
  }

  /** One round: the mail, then a poll per reader that has not ended. True when something happened. */
  async step(): Promise<boolean> {
    let worked = this.#deliver();
    for (let subtask = 0; subtask < this.#parallelism; subtask++) {
      if (this.status[subtask] === "end-of-input") continue;
      this.status[subtask] = this.#readers[subtask]!.pollNext(this.#output());
      if (this.status[subtask] !== "nothing-available") worked = true;
    }
    worked = this.#deliver() || worked;
    for (let i = 0; i < 20 && !worked; i++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      worked = this.#mail.length > 0 || this.#pendingWork > 0;
    }
    return worked;
  }
  get ended(): boolean {
    return this.status.every((status) => status === "end-of-input");
  }
  /** Steps until every reader has ended, or nothing has happened for a while. */
  async run(maxSteps = 10_000): Promise<readonly T[]> {
    let quiet = 0;
    for (let i = 0; i < maxSteps && !this.ended && quiet < 20; i++) quiet = (await this.step()) || this.clock.advance() ? 0 : quiet + 1;
    return this.records;
  }
  async checkpoint(id = 1): Promise<Checkpoint> {
    this.#deliver();
    const source = this.#source;
    const state = await this.#enumerator!.snapshotState(id);
    const readers = await Promise.all(this.#readers.map(async (reader) => (await reader.snapshotState(id)).map((split) => roundTrip(split, source.splitCodec) as SourceSplit)));
    return { enumerator: roundTrip(state, source.enumeratorCodec), readers, emitted: this.records.length };
  }
  async complete(id = 1): Promise<void> {
    for (const reader of this.#readers) await reader.notifyCheckpointComplete?.(id);
  }
  async close(): Promise<void> {
    for (const reader of this.#readers) await reader.close();
    await this.#enumerator?.close?.();
  }
  available(subtask = 0): Promise<void> {
    return this.#readers[subtask]!.available();
  }

  #deliver(): boolean {
    let any = false;
    for (let mail = this.#mail.shift(); mail !== undefined; mail = this.#mail.shift()) {
      mail();
      any = true;
    }
    return any;
  }
  #output(): ReaderOutput<T> {
    const output: ReaderOutput<T> = {
      collect: (value) => void this.records.push(value),
      collectBatch: (values) => void this.records.push(...values),
      collectGenerated: (generate, first, count) => { for (let i = 0; i < count; i++) this.records.push(generate(first + i)); },
      sideOutput() {}, forSplit: () => output, releaseSplit() {}, full: false,
    };
    return output;
  }
  #enumeratorContext(): SplitEnumeratorContext<SourceSplit> {
    return {
      parallelism: this.#parallelism, registeredReaders: () => [...this.#registered],
      assignSplit: (split, subtask) => void this.#mail.push(() => this.#readers[subtask]!.addSplits([roundTrip(split, this.#source.splitCodec) as SourceSplit])),
      signalNoMoreSplits: (subtask) => void this.#mail.push(() => this.#readers[subtask]!.notifyNoMoreSplits()),
      sendEventToReader: (subtask, event) => void this.#mail.push(() => this.#readers[subtask]!.handleSourceEvent?.(structuredClone(event))),
      setIsProcessingBacklog: () => undefined,
      callAsync: (work, handle) => {
        this.#pendingWork++;
        work().then((result) => this.#mail.push(() => handle(result, undefined)), (error: unknown) => this.#mail.push(() => handle(undefined, error))).finally(() => this.#pendingWork--);
      },
      metrics: noMetrics, fs: undefined as never, clock: this.clock, config: Configuration.empty,
    };
  }
  #readerContext(subtask: number): SourceReaderContext {
    return {
      subtaskIndex: subtask, parallelism: this.#parallelism, clock: this.clock, fs: undefined as never, config: Configuration.empty, metrics: noMetrics, random: () => 0.5,
      ...(this.#net === undefined ? {} : { net: this.#net }),
      sendSplitRequest: () => void this.#mail.push(() => this.#enumerator!.handleSplitRequest?.(subtask)),
      sendSourceEvent: (event) => void this.#mail.push(() => this.#enumerator!.handleSourceEvent?.(subtask, structuredClone(event))),
    };
  }
}

function roundTrip(value: unknown, codec: { encode(value: any): Uint8Array; decode(bytes: Uint8Array): unknown } | undefined): unknown {
  return codec === undefined ? JSON.parse(JSON.stringify(value)) : codec.decode(codec.encode(value));
}

/**
 * Runs a source to its end, then again for every number of steps before its end: to that point, checkpoint, and a fresh source from the checkpoint to the end.
 * Returns the records of the undisturbed run and of each interrupted one (before the checkpoint, then after it).
 */
export async function everyRestore<T>(make: () => Source<T, any, any>, parallelism = 1): Promise<{ readonly straight: readonly T[]; readonly restored: readonly (readonly T[])[] }> {
  const straight = await (await new SourceDriver<T>(make(), parallelism).start()).run();
  const restored: T[][] = [];
  for (let steps = 0; ; steps++) {
    const first = await new SourceDriver<T>(make(), parallelism).start();
    for (let i = 0; i < steps && !first.ended; i++) await first.step();
    const checkpoint = await first.checkpoint();
    const second = await new SourceDriver<T>(make(), parallelism).start(checkpoint);
    await second.run();
    restored.push([...first.records.slice(0, checkpoint.emitted), ...second.records]);
    if (first.ended) return { straight, restored };
  }
}

/** A network with one server whose connections the test feeds. */
export class ManualNet implements Net {
  readonly connections: Connection[] = [];
  refuse = false;
  async connect(): Promise<Connection> {
    if (this.refuse) throw new Error("refused");
    const connection: Connection = { onData: undefined, onClose: undefined, write: () => true, drained: async () => {}, pause() {}, resume() {}, close() {} };
    this.connections.push(connection);
    return connection;
  }
  listen(): never {
    throw new Error("not used");
  }
}
