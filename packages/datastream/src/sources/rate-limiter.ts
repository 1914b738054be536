import { MillraceError, type Clock } from "@millrace/core";

/** Says how many records one subtask may emit now. */
export interface RateLimiter {
  /** Takes at most `wanted` permits; 0 when there are none. */
  take(wanted: number): number;
  /** Resolves when there may be one again. */
  available(): Promise<void>;
  notifyCheckpointComplete?(checkpointId: number): void;
}

/** What a limiter is made with. */
export interface RateLimiterContext {
  readonly clock: Clock;
  readonly parallelism: number;
  readonly subtaskIndex: number;
}
/** Makes the limiter of each subtask. Flink: RateLimiterStrategy. */
export interface RateLimiterStrategy {
  createRateLimiter(context: RateLimiterContext): RateLimiter;
}

/** The rate limits that come with the generator source. */
export const RateLimiterStrategy = {
  /** So many records a second, over all subtasks together. */
  perSecond(records: number): RateLimiterStrategy {
    if (!(records > 0) || !Number.isFinite(records)) throw invalidRate(records, "a positive number of records a second");
    return { createRateLimiter: ({ clock, parallelism }) => new TokenBucket(clock, records / parallelism) };
  },
  /** So many records between two checkpoints, over all subtasks together; the first ones come before the first checkpoint. Needs checkpointing. */
  perCheckpoint(records: number): RateLimiterStrategy {
    if (!Number.isSafeInteger(records) || records < 1) throw invalidRate(records, "a positive integer of records per checkpoint");
    return {
      createRateLimiter({ parallelism, subtaskIndex }) {
        if (records < parallelism) throw invalidRate(records, `at least one record per subtask and checkpoint, and there are ${parallelism} subtasks`);
        return new CheckpointGate(Math.floor(records / parallelism) + (subtaskIndex < records % parallelism ? 1 : 0));
      },
    };
  },
  noOp(): RateLimiterStrategy {
    return { createRateLimiter: () => ({ take: (wanted) => wanted, available: () => Promise.resolve() }) };
  },
} as const;

/** The share of a second that an idle limiter saves up, so that slow timers do not lower the rate and a long pause causes no burst. */
const BURST_SECONDS = 0.2;

class TokenBucket implements RateLimiter {
  readonly #clock: Clock;
  readonly #perMs: number;
  readonly #capacity: number;
  #tokens = 1;
  #filledAtMs: number;

  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#capacity = Math.max(1, perSecond * BURST_SECONDS);
    this.#filledAtMs = clock.monotonicMs();
  }
  take(wanted: number): number {
    const now = this.#clock.monotonicMs();
    this.#tokens = Math.min(this.#capacity, this.#tokens + (now - this.#filledAtMs) * this.#perMs);
    this.#filledAtMs = now;
    // Within rounding of a whole permit: a timer set for its moment must find it.
    const taken = Math.min(wanted, Math.floor(this.#tokens + 1e-9));
    this.#tokens = Math.max(0, this.#tokens - taken);
    return taken;
  }
  available(): Promise<void> {
    const delayMs = Math.max(1, Math.ceil((1 - this.#tokens) / this.#perMs));
    return new Promise((resolve) => void this.#clock.setTimer(delayMs, resolve));
  }
}

class CheckpointGate implements RateLimiter {
  readonly #perCheckpoint: number;
  #left: number;
  #wake: (() => void) | undefined;

  constructor(perCheckpoint: number) {
    this.#perCheckpoint = perCheckpoint;
    this.#left = perCheckpoint;
  }
  take(wanted: number): number {
    const taken = Math.min(wanted, this.#left);
    this.#left -= taken;
    return taken;
  }
  async available(): Promise<void> {
    if (this.#left === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
  notifyCheckpointComplete(): void {
    this.#left = this.#perCheckpoint;
    this.#wake?.();
  }
}

function invalidRate(value: number, expected: string): MillraceError {
  return new MillraceError({ code: "RATE_LIMIT_INVALID", message: `a rate limit of ${String(value)}: expected ${expected}`, hint: "or use RateLimiterStrategy.noOp()" });
}
