import type { Cancellable, Clock } from "@millrace/core";

/** What a state of the adaptive scheduler leaves itself for, and whether it could now. */
export interface TransitionContext {
  /** All that the job would like to have is there. */
  hasDesiredResources(): boolean;
  /** What is there is worth leaving the state for. */
  hasSufficientResources(): boolean;
  /** Called when what is there becomes worth leaving the state for. */
  begins?(): void;
  /** Called when it no longer is. */
  givenUp?(): void;
  /** Called when it is only a trigger that is waited for. */
  stabilized?(): void;
  /** Leaves the state; the manager is closed before. */
  transition(): void;
}

export interface TransitionTimes {
  /** Nothing happens before that is over. */
  readonly cooldownMs: number;
  /** How long what is sufficient waits for what is desired. */
  readonly stabilizationMs: number;
  /** How long a decision waits for its trigger. */
  readonly maxTriggerDelayMs: number;
}

type Phase = "cooldown" | "idling" | "stabilizing" | "stabilized" | "closed";

/**
 * Decides when a change of resources becomes a change of parallelism: not too soon after the last one (cooldown), not for the first of several slots that
 * come (stabilizing), and not far from a checkpoint (stabilized). Flink: DefaultStateTransitionManager, FLIP-472.
 */
export class StateTransitionManager {
  readonly #clock: Clock;
  readonly #context: TransitionContext;
  readonly #times: TransitionTimes;
  #phase: Phase = "idling";
  #changed = false;
  #timer: Cancellable | undefined;

  constructor(clock: Clock, context: TransitionContext, times: TransitionTimes) {
    this.#clock = clock;
    this.#context = context;
    this.#times = times;
    if (times.cooldownMs > 0) this.#enter("cooldown", times.cooldownMs, () => {
      this.#enter("idling");
      if (this.#changed) this.onChange();
    });
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Resources or requirements changed. */
  onChange(): void {
    const { stabilizationMs } = this.#times;
    if (this.#phase === "closed") return;
    if (this.#phase === "cooldown") this.#changed = true;
    else if (!this.#context.hasSufficientResources()) this.#idle();
    else if (this.#phase === "stabilized") return;
    else {
      if (this.#phase === "idling") this.#context.begins?.();
      if (this.#context.hasDesiredResources() || stabilizationMs === 0) this.#stabilize();
      else if (this.#phase === "idling") this.#enter("stabilizing", stabilizationMs, () => this.#stabilize());
    }
  }

  /** Now would be a good moment. */
  onTrigger(): void {
    if (this.#phase !== "stabilized") return;
    if (!this.#context.hasSufficientResources()) return this.#idle();
    this.close();
    this.#context.transition();
  }

  close(): void {
    this.#enter("closed");
  }

  #idle(): void {
    const hadBegun = this.#phase !== "idling";
    this.#enter("idling");
    if (hadBegun) this.#context.givenUp?.();
  }

  #stabilize(): void {
    const { maxTriggerDelayMs } = this.#times;
    if (maxTriggerDelayMs === 0) {
      this.#enter("stabilized");
      return this.onTrigger();
    }
    this.#enter("stabilized", maxTriggerDelayMs, () => this.onTrigger());
    this.#context.stabilized?.();
  }

  #enter(phase: Phase, timeoutMs?: number, then?: () => void): void {
    this.#timer?.cancel();
    this.#phase = phase;
    this.#timer = timeoutMs === undefined ? undefined : this.#clock.setTimer(timeoutMs, then!);
  }
}
