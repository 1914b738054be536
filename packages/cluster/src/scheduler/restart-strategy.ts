import {
  CHECKPOINTING_INTERVAL, EXPONENTIAL_ATTEMPTS, EXPONENTIAL_INITIAL, EXPONENTIAL_JITTER, EXPONENTIAL_MAX, EXPONENTIAL_MULTIPLIER, EXPONENTIAL_RESET,
  FAILURE_RATE_DELAY, FAILURE_RATE_INTERVAL, FAILURE_RATE_MAX, FIXED_DELAY_ATTEMPTS, FIXED_DELAY_DELAY, RESTART_STRATEGY,
} from "@millrace/core";
import type { Clock, Configuration, Rng } from "@millrace/core";

/** Decides whether a failed job starts again, and when. One per job; told of every failure once. */
export interface RestartStrategy {
  /** The pause before the next attempt, or `undefined` when there will be none. */
  onFailure(): number | undefined;
  /** Why the last failure was not restarted, for the error message. */
  readonly description: string;
  /** False when no failure is ever restarted. */
  readonly canRestart: boolean;
}

/** The strategy a job's configuration asks for. Without checkpointing and without an explicit choice a job is not restarted, as in Flink. */
export function createRestartStrategy(config: Configuration, clock: Clock, rng: Rng): RestartStrategy {
  const type = config.has(RESTART_STRATEGY) || config.get(CHECKPOINTING_INTERVAL) !== undefined ? config.get(RESTART_STRATEGY) : "none";
  switch (type) {
    case "none": return new NoRestart();
    case "fixed-delay": return new FixedDelayRestart(config.get(FIXED_DELAY_ATTEMPTS), config.get(FIXED_DELAY_DELAY));
    case "failure-rate":
      return new FailureRateRestart(config.get(FAILURE_RATE_MAX), config.get(FAILURE_RATE_INTERVAL), config.get(FAILURE_RATE_DELAY), clock);
    case "exponential-delay":
      return new ExponentialDelayRestart({
        initialMs: config.get(EXPONENTIAL_INITIAL), maxMs: config.get(EXPONENTIAL_MAX), multiplier: config.get(EXPONENTIAL_MULTIPLIER),
        resetMs: config.get(EXPONENTIAL_RESET), jitter: config.get(EXPONENTIAL_JITTER), attempts: config.get(EXPONENTIAL_ATTEMPTS),
      }, clock, rng);
  }
}

class NoRestart implements RestartStrategy {
  readonly description = "the restart strategy is none";
  readonly canRestart = false;
  onFailure(): undefined {
    return undefined;
  }
}

class FixedDelayRestart implements RestartStrategy {
  readonly description: string;
  readonly canRestart = true;
  readonly #delayMs: number;
  #attemptsLeft: number;

  constructor(attempts: number, delayMs: number) {
    this.description = `the restart strategy fixed-delay allows ${attempts} restarts`;
    this.#attemptsLeft = attempts;
    this.#delayMs = delayMs;
  }

  onFailure(): number | undefined {
    return this.#attemptsLeft-- > 0 ? this.#delayMs : undefined;
  }
}

class FailureRateRestart implements RestartStrategy {
  readonly description: string;
  readonly canRestart = true;
  readonly #maxFailures: number;
  readonly #intervalMs: number;
  readonly #delayMs: number;
  readonly #clock: Clock;
  #failuresMs: number[] = [];

  constructor(maxFailures: number, intervalMs: number, delayMs: number, clock: Clock) {
    this.description = `the restart strategy failure-rate allows ${maxFailures} failures in ${intervalMs} ms`;
    this.#maxFailures = maxFailures;
    this.#intervalMs = intervalMs;
    this.#delayMs = delayMs;
    this.#clock = clock;
  }

  onFailure(): number | undefined {
    const now = this.#clock.monotonicMs();
    this.#failuresMs = this.#failuresMs.filter((at) => now - at <= this.#intervalMs);
    this.#failuresMs.push(now);
    return this.#failuresMs.length > this.#maxFailures ? undefined : this.#delayMs;
  }
}

interface ExponentialDelayInit {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly multiplier: number;
  readonly resetMs: number;
  readonly jitter: number;
  /** -1: without end. */
  readonly attempts: number;
}

class ExponentialDelayRestart implements RestartStrategy {
  readonly description: string;
  readonly canRestart = true;
  readonly #init: ExponentialDelayInit;
  readonly #clock: Clock;
  readonly #rng: Rng;
  #backoffMs: number;
  #attempts = 0;
  #lastFailureMs: number | undefined;

  constructor(init: ExponentialDelayInit, clock: Clock, rng: Rng) {
    this.description = `the restart strategy exponential-delay allows ${init.attempts} restarts`;
    this.#init = init;
    this.#clock = clock;
    this.#rng = rng;
    this.#backoffMs = init.initialMs;
  }

  onFailure(): number | undefined {
    const { initialMs, maxMs, multiplier, resetMs, jitter, attempts } = this.#init;
    const now = this.#clock.monotonicMs();
    if (this.#lastFailureMs !== undefined && now - this.#lastFailureMs >= resetMs + this.#backoffMs) {
      this.#backoffMs = initialMs;
      this.#attempts = 0;
    }
    this.#lastFailureMs = now;
    if (attempts >= 0 && this.#attempts >= attempts) return undefined;
    this.#attempts++;
    const delayMs = this.#backoffMs * (1 + jitter * (2 * this.#rng.next() - 1));
    this.#backoffMs = Math.min(maxMs, this.#backoffMs * multiplier);
    return Math.max(0, Math.round(delayMs));
  }
}
