import { MAX_WATERMARK, MIN_WATERMARK } from "@millrace/core";
import type { Configuration, WatermarkGenerator, WatermarkOutput, WatermarkStrategy } from "@millrace/core";
import { CombinedWatermark } from "../input/combined-watermark.js";
import { createGenerator, type ActiveClock } from "./idleness-generator.js";

/** Where a source's combined watermark goes. */
export interface SourceWatermarkListener {
  emitWatermark(timestampMs: number): void;
  emitStatus(idle: boolean): void;
}

/** The output of readers that do not tell splits apart. */
export const MAIN_OUTPUT = "";

/** One split's generator with its part of the combined watermark. */
export class SplitWatermarks<T> implements WatermarkOutput {
  readonly splitId: string;
  readonly generator: WatermarkGenerator<T>;
  readonly #owner: SourceWatermarks<T>;

  constructor(splitId: string, generator: WatermarkGenerator<T>, owner: SourceWatermarks<T>) {
    this.splitId = splitId;
    this.generator = generator;
    this.#owner = owner;
  }
  emitWatermark(timestampMs: number): void {
    this.#owner.combined.setWatermark(this.splitId, timestampMs);
    this.#owner.changed = true;
  }
  markIdle(): void {
    this.#owner.combined.setIdle(this.splitId, true);
    this.#owner.changed = true;
  }
  markActive(): void {
    this.#owner.combined.setIdle(this.splitId, false);
    this.#owner.changed = true;
  }
}

/** The watermarks of a source's splits, merged by minimum. Changes are collected in `changed` and go out with `publish`. Flink: WatermarkOutputMultiplexer. */
export class SourceWatermarks<T> {
  readonly combined: CombinedWatermark = new CombinedWatermark();
  changed = false;
  readonly #strategy: WatermarkStrategy<T>;
  readonly #clock: ActiveClock;
  readonly #config: Configuration;
  readonly #listener: SourceWatermarkListener;
  readonly #splits = new Map<string, SplitWatermarks<T>>();
  /** Splits assigned while it is not known whether the reader emits by split. */
  readonly #assigned = new Set<string>();
  #bySplit = false;
  #emittedMs = MIN_WATERMARK;
  #idle = false;

  constructor(strategy: WatermarkStrategy<T>, clock: ActiveClock, config: Configuration, listener: SourceWatermarkListener) {
    this.#strategy = strategy;
    this.#clock = clock;
    this.#config = config;
    this.#listener = listener;
    // A reader without splits is silent, too: this part becomes idle with the others.
    if (strategy.idleTimeoutMs !== undefined) this.split(MAIN_OUTPUT);
  }

  /** A split was assigned: if the reader emits by split, it holds the watermark back from now on, not only from its first record. */
  assign(splitId: string): void {
    if (this.#bySplit) this.split(splitId);
    else this.#assigned.add(splitId);
  }

  split(splitId: string): SplitWatermarks<T> {
    if (splitId !== MAIN_OUTPUT && !this.#bySplit) {
      this.#bySplit = true;
      for (const assigned of this.#assigned) this.split(assigned);
    }
    let split = this.#splits.get(splitId);
    if (split === undefined) {
      split = new SplitWatermarks(splitId, createGenerator(this.#strategy, this.#clock, this.#config), this);
      this.#splits.set(splitId, split);
      this.combined.add(splitId);
      if (splitId !== MAIN_OUTPUT && this.combined.has(MAIN_OUTPUT)) this.release(MAIN_OUTPUT);
    }
    return split;
  }

  release(splitId: string): void {
    this.#assigned.delete(splitId);
    if (!this.#splits.delete(splitId)) return;
    this.combined.remove(splitId);
    if (this.#splits.size === 0 && this.#strategy.idleTimeoutMs !== undefined) this.split(MAIN_OUTPUT);
    this.changed = true;
  }

  periodicEmit(): void {
    for (const split of this.#splits.values()) split.generator.onPeriodicEmit(split);
    this.publish();
  }

  /** Sends the combined watermark and status on where they changed. */
  publish(): void {
    this.changed = false;
    const { watermarkMs, idle } = this.combined;
    if (watermarkMs > this.#emittedMs) {
      if (this.#idle) this.#setIdle(false);
      this.#emittedMs = watermarkMs;
      this.#listener.emitWatermark(watermarkMs);
    }
    if (idle !== this.#idle) this.#setIdle(idle);
  }

  /** The input is at its end, which counts for an idle source, too: nobody listens to the watermarks of one that is idle. */
  end(): void {
    if (this.#idle) this.#setIdle(false);
    this.#emittedMs = MAX_WATERMARK;
    this.#listener.emitWatermark(MAX_WATERMARK);
  }

  #setIdle(idle: boolean): void {
    this.#idle = idle;
    this.#listener.emitStatus(idle);
  }
}
