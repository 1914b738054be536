import type { Cancellable, Clock, Mailbox, ProcessingTimeService } from "@millrace/core";
import type { HeapTimerService } from "@millrace/state";

/** Processing-time callbacks of a task: each becomes a mail when its time has come. */
export class TaskProcessingTime implements ProcessingTimeService {
  readonly #clock: Clock;
  readonly #mailbox: Mailbox;
  readonly #pending = new Set<Cancellable>();

  constructor(clock: Clock, mailbox: Mailbox) {
    this.#clock = clock;
    this.#mailbox = mailbox;
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  registerTimer(timestampMs: number, action: (timestampMs: number) => void): Cancellable {
    let cancelled = false;
    const timer = this.#clock.setTimer(Math.max(0, timestampMs - this.#clock.nowMs()), () => {
      this.#pending.delete(timer);
      this.#mailbox.execute(() => {
        if (!cancelled) action(timestampMs);
      }, "processing-time timer");
    });
    this.#pending.add(timer);
    return {
      cancel: () => {
        cancelled = true;
        this.#pending.delete(timer);
        timer.cancel();
      },
    };
  }

  cancelAll(): void {
    for (const timer of this.#pending) timer.cancel();
    this.#pending.clear();
  }
}

/** Fires keyed processing-time timers: keeps one clock timer armed for the earliest of them. */
export class KeyedProcessingTimers {
  readonly #clock: Clock;
  readonly #wake: () => void;
  readonly #services: () => Iterable<HeapTimerService>;
  #armedForMs: number | undefined;
  #armed: Cancellable | undefined;
  #due = false;

  constructor(clock: Clock, services: () => Iterable<HeapTimerService>, wake: () => void) {
    this.#clock = clock;
    this.#services = services;
    this.#wake = wake;
  }

  /** Timers are due: call `fire`. */
  get due(): boolean {
    return this.#due;
  }

  /** Fires what is due. @returns false when interrupted with more to fire. */
  fire(interrupted: () => boolean): boolean {
    const nowMs = this.#clock.nowMs();
    for (const service of this.#services()) if (!service.advanceProcessingTime(nowMs, interrupted)) return false;
    this.#due = false;
    return true;
  }

  /** Arms the clock for the earliest timer; call it whenever timers may have been set or deleted. */
  rearm(): void {
    if (this.#due) return;
    let next: number | undefined;
    for (const service of this.#services()) {
      const time = service.nextProcessingTime();
      if (time !== undefined && (next === undefined || time < next)) next = time;
    }
    if (next === this.#armedForMs) return;
    this.cancel();
    if (next === undefined) return;
    this.#armedForMs = next;
    this.#armed = this.#clock.setTimer(Math.max(0, next - this.#clock.nowMs()), () => {
      this.#armed = undefined;
      this.#armedForMs = undefined;
      this.#due = true;
      this.#wake();
    });
  }

  cancel(): void {
    this.#armed?.cancel();
    this.#armed = undefined;
    this.#armedForMs = undefined;
  }
}
