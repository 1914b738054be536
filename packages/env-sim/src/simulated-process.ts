import { createHash } from "node:crypto";
import type { Cancellable, Clock, Env, FileSystem, LogSink } from "@millrace/core";
import type { Random } from "./random.js";
import type { Simulation } from "./simulation.js";
import type { SimulatedDisk } from "./simulated-disk.js";
import type { SimulatedNetwork } from "./simulated-network.js";

/** The machine room that processes run in. */
export interface World {
  readonly simulation: Simulation;
  readonly network: SimulatedNetwork;
  readonly disk: SimulatedDisk;
}

/** How a process ends: killed by its operating system, which closes its connections, or with its machine, which tells nobody and forgets what was not synced. */
export type Death = "killed" | "power loss";

/** What a process sees of the world, with names that nobody can guess and content hashes. */
export interface ProcessEnv extends Env {
  randomHex(bytes: number): string;
  sha256Hex(bytes: Uint8Array): string;
}

/** Beginning of virtual time on the wall. */
const EPOCH_MS = 1_750_000_000_000;

/**
 * One incarnation of a process, or of a thread in one. Everything it waits for comes back through it: once it is dead nothing of it ever goes on,
 * and while it is paused (SIGSTOP) nothing does until it is resumed. The same process started again is another object.
 */
export class SimulatedProcess {
  readonly name: string;
  /** Its machine. */
  readonly host: string;
  readonly env: ProcessEnv;
  readonly #world: World;
  readonly #parent: SimulatedProcess | undefined;
  readonly #children = new Set<SimulatedProcess>();
  readonly #random: Random;
  readonly #startUs: number;
  readonly #ends = new Set<(death: Death) => void>();
  #alive = true;
  #paused = false;
  #held: (() => void)[] = [];
  /** What is added to the wall clock, and how fast time seems to run. */
  #skewMs = 0;
  #rate = 1;

  constructor(world: World, name: string, host: string, parent?: SimulatedProcess) {
    this.#world = world;
    this.name = name;
    this.host = host;
    this.#parent = parent;
    this.#random = world.simulation.random(`process ${name}`);
    this.#startUs = world.simulation.nowUs;
    const hex = world.simulation.random(`secrets ${name} ${this.#startUs}`);
    this.env = {
      clock: this.#clock(), rng: { next: () => this.#random.next() }, net: world.network.of(this), outside: world.network.of(this), fs: world.disk.of(this) as FileSystem,
      log: { write: (level, line) => world.simulation.note(`${name} ${level}: ${line}`) } satisfies LogSink,
      randomHex: (bytes) => Array.from({ length: 2 * bytes }, () => hex.int(0, 15).toString(16)).join(""),
      sha256Hex: (bytes) => createHash("sha256").update(bytes).digest("hex"),
    };
  }

  get alive(): boolean {
    return this.#alive && this.#parent?.alive !== false;
  }

  get paused(): boolean {
    return this.#paused || this.#parent?.paused === true;
  }

  /** A thread of this process: dies and pauses with it, and can be ended alone. */
  thread(name: string): SimulatedProcess {
    const thread = new SimulatedProcess(this.#world, `${this.name}/${name}`, this.host, this);
    thread.skew(this.#skewMs, this.#rate);
    this.#children.add(thread);
    thread.onEnd(() => this.#children.delete(thread));
    return thread;
  }

  /** Called once when the process dies. */
  onEnd(ended: (death: Death) => void): () => void {
    this.#ends.add(ended);
    return () => this.#ends.delete(ended);
  }

  /** Runs an action of this process: now, once it is resumed, or never. */
  run(action: () => void): void {
    if (!this.alive) return;
    if (!this.paused) action();
    else this.#hold(action);
  }

  #hold(action: () => void): void {
    if (this.#paused) this.#held.push(action);
    else this.#parent!.#hold(action);
  }

  /** Runs an action of this process after `delayUs`. */
  later(delayUs: number, action: () => void): Cancellable {
    let cancelled = false;
    const scheduled = this.#world.simulation.schedule(delayUs, () => this.run(() => {
      if (!cancelled && this.alive) action();
    }));
    return {
      cancel: () => {
        cancelled = true;
        scheduled.cancel();
      },
    };
  }

  kill(death: Death): void {
    if (!this.#alive) return;
    this.#alive = false;
    this.#held = [];
    this.#world.simulation.note(`${this.name} died: ${death}`);
    for (const child of this.#children) child.kill(death);
    for (const ended of this.#ends) ended(death);
  }

  pause(): void {
    if (this.alive) this.#paused = true;
  }

  /** What waited happens at once, in its order, before anything else. */
  resume(): void {
    const action = this.#held.shift();
    if (action === undefined) this.#paused = false;
    else {
      this.#world.simulation.schedule(0, () => {
        if (!this.alive) return;
        action();
        this.resume();
      });
    }
  }

  /** Sets its wall clock off by `skewMs`, and lets its clocks run `rate` times as fast. */
  skew(skewMs: number, rate: number = this.#rate): void {
    this.#skewMs = skewMs;
    this.#rate = rate;
    for (const child of this.#children) child.skew(skewMs, rate);
  }

  #clock(): Clock {
    const { simulation } = this.#world;
    return {
      nowMs: () => EPOCH_MS + Math.floor(simulation.nowMs + this.#skewMs),
      // Never back, though the rate may change.
      monotonicMs: () => this.#monotonicMs(),
      setTimer: (delayMs, action) => this.later((Math.max(0, delayMs) * 1000) / this.#rate + this.#random.skewed(0, 400), action),
      yieldThen: (action) => void this.later(this.#random.skewed(20, 200), action),
    };
  }

  #lastUs = 0;
  #monotonicUs = 0;

  #monotonicMs(): number {
    const elapsedUs = this.#world.simulation.nowUs - this.#startUs;
    this.#monotonicUs += (elapsedUs - this.#lastUs) * this.#rate;
    this.#lastUs = elapsedUs;
    return this.#monotonicUs / 1000;
  }
}
