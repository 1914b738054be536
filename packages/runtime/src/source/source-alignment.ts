import { MAX_WATERMARK, MIN_WATERMARK, type OperatorContext, type SourceReader, type SourceSplit, type WatermarkAlignment } from "@millrace/core";
import type { OperatorToCoordinator } from "../protocol/messages.js";
import { MAIN_OUTPUT, type SourceWatermarks } from "./source-watermarks.js";

/** What alignment needs of the source's task. */
export interface AlignmentServices {
  send(event: OperatorToCoordinator): void;
  wake(): void;
}

/**
 * Watermark alignment of one source subtask: reports its watermark, and pauses itself and single splits that are too far ahead of the group.
 *
 * Without an alignment in the strategy it does nothing. Flink: FLIP-182 and FLIP-217.
 */
export class SourceAlignment {
  /** The whole reader waits. */
  paused = false;
  readonly #context: OperatorContext;
  readonly #strategy: WatermarkAlignment | undefined;
  readonly #watermarks: SourceWatermarks<any>;
  readonly #reader: SourceReader<any, SourceSplit>;
  readonly #services: AlignmentServices;
  #maxWatermarkMs = MAX_WATERMARK;
  #pausedSplits = new Set<string>();

  constructor(
    context: OperatorContext, strategy: WatermarkAlignment | undefined, watermarks: SourceWatermarks<any>, reader: SourceReader<any, any>,
    services: AlignmentServices,
  ) {
    this.#context = context;
    this.#strategy = strategy;
    this.#watermarks = watermarks;
    this.#reader = reader;
    this.#services = services;
  }

  start(): void {
    if (this.#strategy === undefined) return;
    const { group, maxDriftMs } = this.#strategy;
    const { processingTime } = this.#context;
    processingTime.registerTimer(processingTime.nowMs() + this.#strategy.updateIntervalMs, () => {
      const { watermarkMs, idle } = this.#watermarks.combined;
      // An idle source must not hold the others back.
      this.#services.send({ kind: "watermarkReport", watermarkMs: idle ? MAX_WATERMARK : watermarkMs, group, maxDriftMs });
      this.#apply();
      this.start();
    });
  }

  update(maxWatermarkMs: number): void {
    this.#maxWatermarkMs = maxWatermarkMs;
    this.#apply();
  }

  #apply(): void {
    const { combined } = this.#watermarks;
    const paused = !combined.idle && combined.watermarkMs !== MIN_WATERMARK && combined.watermarkMs > this.#maxWatermarkMs;
    if (this.paused && !paused) this.#services.wake();
    this.paused = paused;
    if (this.#reader.pauseOrResumeSplits === undefined) return;
    const ahead = new Set<string>();
    for (const part of combined.parts()) {
      if (part !== MAIN_OUTPUT && combined.partWatermarkMs(part) > this.#maxWatermarkMs) ahead.add(part as string);
    }
    const pause = [...ahead].filter((split) => !this.#pausedSplits.has(split));
    const resume = [...this.#pausedSplits].filter((split) => !ahead.has(split));
    this.#pausedSplits = ahead;
    if (pause.length > 0 || resume.length > 0) this.#reader.pauseOrResumeSplits(pause, resume);
  }
}
