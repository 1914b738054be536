import {
  AUTO_WATERMARK_INTERVAL, BATCH_SIZE, ListStateDescriptor, METRICS_LATENCY_INTERVAL, Types,
  type InputStatus, type Net, type Operator, type OperatorContext, type OperatorListState, type SnapshotCodec, type SourceReader, type SourceSplit,
  type StateInitializationContext, type StateSnapshotContext,
} from "@millrace/core";
import type { SourceSpec } from "@millrace/graph";
import type { ChainEntry, GeneratingEntry } from "../chain/chain-entry.js";
import type { OutputPressure } from "../exchange/output-channel.js";
import type { CoordinatorToOperator, OperatorToCoordinator } from "../protocol/messages.js";
import type { ActiveClock } from "./idleness-generator.js";
import { MAIN_OUTPUT, SourceWatermarks } from "./source-watermarks.js";
import { SourceAlignment } from "./source-alignment.js";
import { SourceBuffer } from "./source-buffer.js";
import { jsonCodec } from "./split-codec.js";
import { timestampInvalid } from "./timestamp-check.js";

/** What a source operator needs of its task. */
export interface SourceServices {
  /** The way of readers to the outside. */
  readonly net: Net;
  readonly clock: ActiveClock;
  readonly pressure: OutputPressure;
  /** Unique to the operator, subtask and slot. */
  readonly codeId: string;
  /** The chain behind the source; asked for once, when the source opens. */
  entry(): ChainEntry;
  /** The same for records that are made by index, where chains are compiled; asked for at most once. */
  generatingEntry(): GeneratingEntry | undefined;
  send(event: OperatorToCoordinator): void;
  /** Polling is worth while again. */
  wake(): void;
  latencyMark(markedTimeMs: number): void;
  fail(error: unknown): void;
}

/** What a poll found. `waiting` means: wait for `wake`. */
export type PollResult = "more" | "waiting" | "end";

/** The head of a source task: hosts a reader, makes its records into batches with time stamps and watermarks. Flink: SourceOperator. */
export class SourceOperator<T = unknown, S extends SourceSplit = SourceSplit> implements Operator<T> {
  readonly #context: OperatorContext;
  readonly #spec: SourceSpec;
  readonly #services: SourceServices;
  readonly #codec: SnapshotCodec<S>;
  #reader: SourceReader<T, S> | undefined;
  #splits: OperatorListState<Uint8Array> | undefined;
  #watermarks!: SourceWatermarks<T>;
  #alignment!: SourceAlignment;
  #buffer!: SourceBuffer<T>;
  readonly #watermarkIntervalMs: number;
  /** By the monotonic clock. */
  #lastWatermarkMs = 0;
  /** A promise of `available()` is out. */
  #waiting = false;
  #ended = false;
  /** Events that came before the reader was there. */
  readonly #early: CoordinatorToOperator[] = [];

  constructor(context: OperatorContext, spec: SourceSpec, services: SourceServices) {
    this.#context = context;
    this.#spec = spec;
    this.#services = services;
    this.#watermarkIntervalMs = context.config.get(AUTO_WATERMARK_INTERVAL);
    this.#codec = (spec.source.splitCodec as SnapshotCodec<S> | undefined) ?? jsonCodec;
  }

  open(state: StateInitializationContext): void | Promise<void> {
    const context = this.#context;
    const { watermarks: strategy, source } = this.#spec;
    this.#watermarks = new SourceWatermarks<T>(strategy, this.#services.clock, context.config, context.output);
    const refuse = (timestampMs: unknown, value: unknown): never => {
      throw timestampInvalid(timestampMs, value, context.operatorName);
    };
    const services = this.#services;
    const target = {
      entry: services.entry(), generatingEntry: () => services.generatingEntry(), output: context.output, pressure: services.pressure, id: services.codeId, refuse,
    };
    this.#buffer = new SourceBuffer<T>(context.config.get(BATCH_SIZE), target, this.#watermarks, strategy.timestampAssigner);
    const reader = source.createReader({
      subtaskIndex: context.subtaskIndex, parallelism: context.parallelism, clock: context.clock, fs: context.fs, config: context.config,
      metrics: context.metrics, net: this.#services.net,
      random: () => context.random(),
      sendSplitRequest: () => this.#services.send({ kind: "splitRequest" }),
      sendSourceEvent: (event) => this.#services.send({ kind: "sourceEvent", event }),
    }) as SourceReader<T, S>;
    this.#reader = reader;
    this.#alignment = new SourceAlignment(context, strategy.alignment, this.#watermarks, reader, this.#services);
    this.#splits = state.operatorState.getListState(new ListStateDescriptor<Uint8Array>("source-splits", Types.bytes));
    const restored = [...this.#splits.get()].map((bytes) => this.#codec.decode(bytes));
    if (restored.length > 0) this.#addSplits(restored);
    this.#services.send({ kind: "readerRegistered" });
    const started = reader.start();
    for (const event of this.#early.splice(0)) this.handleEvent(event);
    return started;
  }

  /** The job runs: the periodic timers start. */
  start(): void {
    this.#every(this.#watermarkIntervalMs, () => this.#emitPeriodically(this.#context.clock.monotonicMs()));
    this.#every(this.#context.config.get(METRICS_LATENCY_INTERVAL), (nowMs) => this.#services.latencyMark(nowMs));
    this.#alignment.start();
  }

  handleEvent(event: CoordinatorToOperator): void {
    const reader = this.#reader;
    if (reader === undefined) {
      this.#early.push(event);
      return;
    }
    switch (event.kind) {
      case "assignSplits":
        this.#addSplits(event.splits.map((bytes) => this.#codec.decode(bytes)));
        break;
      case "noMoreSplits":
        reader.notifyNoMoreSplits();
        break;
      case "sourceEvent":
        reader.handleSourceEvent?.(event.event);
        break;
      case "alignment":
        this.#alignment.update(event.maxWatermarkMs);
    }
    this.#waiting = false;
    this.#services.wake();
  }

  /** Whether polling could bring something now. */
  get pollable(): boolean {
    return !this.#waiting && !this.#ended && !this.#alignment.paused;
  }

  /** Lets the reader emit up to `quota` records and runs them through the chain. */
  poll(quota: number): PollResult {
    const buffer = this.#buffer;
    buffer.quota = quota;
    buffer.emitted = 0;
    const status: InputStatus = this.#reader!.pollNext(buffer.outputOf(MAIN_OUTPUT));
    buffer.flush();
    if (this.#watermarks.changed) this.#watermarks.publish();
    if (status === "more-available") return "more";
    if (status === "end-of-input") {
      this.#ended = true;
      return "end";
    }
    this.#emitBeforeWaiting();
    this.#waiting = true;
    this.#reader!.available().then(() => this.#resume(), (error: unknown) => this.#services.fail(error));
    return "waiting";
  }

  /** Records the last poll emitted. */
  get polledRecords(): number {
    return this.#buffer.emitted;
  }

  /** The end of bounded input: everything is complete up to any time. */
  endOfInput(): void {
    this.#watermarks.end();
  }

  snapshotState(context: StateSnapshotContext): void | Promise<void> {
    const splits = this.#reader!.snapshotState(context.checkpointId);
    if (splits instanceof Promise) return splits.then((resolved) => this.#store(resolved));
    this.#store(splits);
  }

  notifyCheckpointComplete(checkpointId: number): void | Promise<void> {
    return this.#reader?.notifyCheckpointComplete?.(checkpointId);
  }

  notifyCheckpointAborted(checkpointId: number): void | Promise<void> {
    return this.#reader?.notifyCheckpointAborted?.(checkpointId);
  }

  close(): void | Promise<void> {
    this.#ended = true;
    return this.#reader?.close();
  }

  /** A watermark that is due leaves with the records before it: its timer, which may be a millisecond or two late, would wake everybody once more. */
  #emitBeforeWaiting(): void {
    if (this.#watermarkIntervalMs <= 0) return;
    const nowMs = this.#context.clock.monotonicMs();
    if (nowMs - this.#lastWatermarkMs >= this.#watermarkIntervalMs) this.#emitPeriodically(nowMs);
  }

  #emitPeriodically(nowMs: number): void {
    this.#lastWatermarkMs = nowMs;
    this.#watermarks.periodicEmit();
  }

  #resume(): void {
    this.#waiting = false;
    this.#services.wake();
  }

  #addSplits(splits: readonly S[]): void {
    for (const split of splits) this.#watermarks.assign(split.splitId);
    this.#reader!.addSplits(splits);
  }

  #store(splits: readonly S[]): void {
    this.#splits!.update(splits.map((split) => this.#codec.encode(split)));
  }

  #every(intervalMs: number, action: (nowMs: number) => void): void {
    if (intervalMs <= 0) return;
    const { processingTime } = this.#context;
    const schedule = (): void => {
      processingTime.registerTimer(processingTime.nowMs() + intervalMs, (nowMs) => {
        if (this.#ended) return;
        action(nowMs);
        schedule();
      });
    };
    schedule();
  }
}
