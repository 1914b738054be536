import { MillraceError, type Env, type FileSystem, type LogSink, type Net } from "@millrace/core";
import { MemoryFileSystem } from "./memory-file-system.js";
import { seededRandom } from "./seeded-random.js";
import { VirtualClock } from "./virtual-clock.js";

export interface VirtualTimeOptions {
  /** The first reading of the clock; default 0. */
  readonly startMs?: number;
  /** Seeds the random numbers; default 1. */
  readonly seed?: number;
  /** Default: in memory. Time stands still while an operation is in progress. */
  readonly fs?: FileSystem;
  /** Default: lines are kept in {@link VirtualTime.logLines}. */
  readonly log?: LogSink;
}

const TURNS_BEFORE_TIME_MOVES = 1;

/**
 * A world whose clock only moves when nothing else can happen: a job that waits for an hour is done in milliseconds, with the same result each time.
 *
 * Work outside of it (a `fetch`, a real timer) is not seen: time does not wait for it.
 */
export class VirtualTime {
  readonly clock: VirtualClock;
  readonly env: Env;
  /** What was logged, as `level line`. */
  readonly logLines: string[] = [];
  #pendingOperations = 0;

  constructor(options: VirtualTimeOptions = {}) {
    this.clock = new VirtualClock(options.startMs);
    const refuse = (): never => {
      throw new MillraceError({ code: "NET_UNAVAILABLE", message: "there is no network in virtual time" });
    };
    const noNet: Net = { connect: async () => refuse(), listen: async () => refuse() };
    this.env = {
      clock: this.clock,
      rng: { next: seededRandom(options.seed ?? 1) },
      fs: this.#tracked(options.fs ?? new MemoryFileSystem(() => this.clock.nowMs())),
      net: noNet,
      outside: noNet,
      log: options.log ?? { write: (level, line) => void this.logLines.push(`${level} ${line}`) },
    };
  }

  /** Lets time run until `work` settles; returns its result. @throws `VIRTUAL_TIME_STUCK` when nothing is left that could settle it. */
  async runUntil<T>(work: Promise<T>): Promise<T> {
    const progress = { settled: false };
    const settle = (): void => {
      progress.settled = true;
    };
    work.then(settle, settle);
    while (!progress.settled) {
      await this.#quiesce(() => progress.settled);
      if (!progress.settled && !this.clock.fireNext()) {
        throw new MillraceError({
          code: "VIRTUAL_TIME_STUCK", message: "nothing is left to do in virtual time, and the awaited work has not ended",
          hint: "a source that is never done needs the job to be cancelled; work outside of the environment (a fetch, a real timer) is not waited for",
        });
      }
    }
    return work;
  }

  /** Lets `durationMs` pass: everything due by then has happened when this resolves. */
  async advance(durationMs: number): Promise<void> {
    const untilMs = this.clock.nowMs() + durationMs;
    do await this.#quiesce(() => false);
    while (this.clock.fireNext(untilMs));
    this.clock.moveTo(untilMs);
  }

  /** Runs everything that can run without time passing. */
  async #quiesce(stop: () => boolean): Promise<void> {
    for (let idleTurns = 0; idleTurns < TURNS_BEFORE_TIME_MOVES && !stop(); ) {
      await new Promise((resolve) => setImmediate(resolve));
      if (this.clock.runYielded() || this.#pendingOperations > 0) idleTurns = 0;
      else idleTurns++;
    }
  }

  /** Counts operations in progress, of the file system and of the readers and writers it gives out. */
  #tracked<O extends object>(target: O): O {
    return new Proxy(target, {
      get: (object, property) => {
        const member = Reflect.get(object, property) as unknown;
        if (typeof member !== "function") return member;
        return (...args: unknown[]): unknown => {
          const result = Reflect.apply(member, object, args) as unknown;
          return result instanceof Promise ? this.#track(result) : result;
        };
      },
    });
  }

  async #track(operation: Promise<unknown>): Promise<unknown> {
    this.#pendingOperations++;
    try {
      const result = await operation;
      return typeof result === "object" && result !== null && "close" in result ? this.#tracked(result) : result;
    } finally {
      this.#pendingOperations--;
    }
  }
}
