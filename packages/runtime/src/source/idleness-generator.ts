import { noWatermarks, RUNTIME_MODE } from "@millrace/core";
import type { Configuration, RecordBatch, WatermarkGenerator, WatermarkOutput, WatermarkStrategy } from "@millrace/core";

/** A clock that stands still while the task is backpressured, so that a blocked task is not taken for a silent one. */
export interface ActiveClock {
  activeMs(): number;
}

/** Marks its output idle when no event came for a while; asked at every periodic emit. Flink: WatermarksWithIdleness. */
class IdlenessGenerator<T> implements WatermarkGenerator<T> {
  readonly onBatch?: (batch: RecordBatch<T>, from: number, to: number) => void;
  private readonly inner: WatermarkGenerator<T>;
  private readonly timeoutMs: number;
  private readonly clock: ActiveClock;
  private events: number;
  private eventsAtLastCheck: number;
  /** When the silence began; `undefined` while events come. */
  private silentSinceMs: number | undefined;
  private idle: boolean;

  constructor(inner: WatermarkGenerator<T>, timeoutMs: number, clock: ActiveClock) {
    this.inner = inner;
    this.timeoutMs = timeoutMs;
    this.clock = clock;
    this.events = 0;
    this.eventsAtLastCheck = 0;
    this.silentSinceMs = undefined;
    this.idle = false;
    if (inner.onBatch !== undefined) {
      this.onBatch = (batch, from, to) => {
        this.events += to - from;
        inner.onBatch!(batch, from, to);
      };
    }
  }

  onEvent(value: T, timestampMs: number, output: WatermarkOutput): void {
    this.events++;
    this.inner.onEvent(value, timestampMs, output);
  }

  onPeriodicEmit(output: WatermarkOutput): void {
    if (this.timedOut()) {
      if (this.idle) return;
      this.idle = true;
      output.markIdle();
    } else {
      this.idle = false;
      this.inner.onPeriodicEmit(output);
    }
  }

  private timedOut(): boolean {
    if (this.events !== this.eventsAtLastCheck) {
      this.eventsAtLastCheck = this.events;
      this.silentSinceMs = undefined;
      return false;
    }
    const now = this.clock.activeMs();
    this.silentSinceMs ??= now;
    return now - this.silentSinceMs > this.timeoutMs;
  }
}

/** A generator as the strategy asks for, idleness included. In batch mode there are no watermarks before the last one. */
export function createGenerator<T>(strategy: WatermarkStrategy<T>, clock: ActiveClock, config: Configuration): WatermarkGenerator<T> {
  if (config.get(RUNTIME_MODE) === "BATCH") return noWatermarks();
  const generator = strategy.createGenerator();
  return strategy.idleTimeoutMs === undefined ? generator : new IdlenessGenerator(generator, strategy.idleTimeoutMs, clock);
}
