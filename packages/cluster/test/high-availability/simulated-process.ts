import type { Cancellable, Clock, Env, FileSystem } from "@millrace/core";
import { VirtualClock } from "@millrace/testkit";

/**
 * A process of a simulated machine room: its own Env over the shared clock and disk. Every disk operation takes time before and after its
 * effect; while the process is stopped (SIGSTOP) nothing of it goes on, and once killed nothing ever does. What was on its way to the disk
 * when it stopped arrives after, which is the case that locks without fencing get wrong.
 */
export class SimulatedProcess {
  readonly env: Pick<Env, "clock" | "fs" | "log" | "rng">;
  readonly #clock: VirtualClock;
  readonly #random: () => number;
  readonly #slowestMs: number;
  #stopped = false;
  #killed = false;
  #held: (() => void)[] = [];

  constructor(clock: VirtualClock, disk: FileSystem, random: () => number, slowestMs: number) {
    this.#clock = clock;
    this.#random = random;
    this.#slowestMs = slowestMs;
    this.env = { clock: this.#ownClock(), fs: this.#ownDisk(disk), log: { write: () => undefined }, rng: { next: random } };
  }

  get running(): boolean {
    return !this.#stopped && !this.#killed;
  }

  stop(): void {
    this.#stopped = true;
  }

  resume(): void {
    this.#stopped = false;
    for (const action of this.#held.splice(0)) this.#run(action);
  }

  kill(): void {
    this.#killed = true;
    this.#held = [];
  }

  /** Runs an action of this process when it may run. */
  #run(action: () => void): void {
    if (this.#killed) return;
    if (this.#stopped) this.#held.push(action);
    else action();
  }

  #ownClock(): Clock {
    const clock = this.#clock;
    return {
      nowMs: () => clock.nowMs(),
      monotonicMs: () => clock.monotonicMs(),
      setTimer: (delayMs, action): Cancellable => {
        let cancelled = false;
        const timer = clock.setTimer(delayMs, () => this.#run(() => cancelled || action()));
        return {
          cancel: () => {
            cancelled = true;
            timer.cancel();
          },
        };
      },
      yieldThen: (action) => clock.yieldThen(() => this.#run(action)),
    };
  }

  #ownDisk(disk: FileSystem): FileSystem {
    const delay = (): Promise<void> => {
      const ms = Math.floor(this.#random() ** 4 * this.#slowestMs);
      return new Promise((resolve) => void this.#clock.setTimer(ms, () => this.#run(resolve)));
    };
    return new Proxy(disk, {
      get: (target, name) => {
        const method = Reflect.get(target, name) as unknown;
        if (typeof method !== "function" || name === "resolve") return method;
        return async (...args: unknown[]) => {
          await delay();
          try {
            return await (method as (...args: unknown[]) => Promise<unknown>).apply(target, args);
          } finally {
            await delay();
          }
        };
      },
    });
  }
}

/** Lets virtual time run for `durationMs`, every continuation in its turn. */
export async function runFor(clock: VirtualClock, durationMs: number): Promise<void> {
  const untilMs = clock.nowMs() + durationMs;
  const settle = async (): Promise<void> => {
    do await new Promise(setImmediate);
    while (clock.runYielded());
  };
  await settle();
  while (clock.fireNext(untilMs)) await settle();
  clock.moveTo(untilMs);
}
