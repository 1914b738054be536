import { MIN_WATERMARK, MillraceError, type Clock, type InternalTimerService, type Output, type TimerHandler } from "@millrace/core";
import { noCurrentKey, type KeyCursor } from "../heap/key-cursor.js";
import type { TimerQueue } from "./timer-queue.js";

/**
 * The timers of one operator under one name.
 *
 * Fire by time; timers of equal time in the order they were registered, which a restore keeps. Both advances may be interrupted between two
 * timers and called again; timers that a handler registers at or before the time being advanced to fire in the same advance.
 * Source: Flink's InternalTimerServiceImpl.
 */
export class HeapTimerService implements InternalTimerService {
  currentWatermark: number = MIN_WATERMARK;
  private readonly cursor: KeyCursor;
  private readonly eventTime: TimerQueue;
  private readonly processingTime: TimerQueue;
  private readonly clock: Clock;
  private readonly handler: TimerHandler;
  private readonly output: Output<unknown>;

  constructor(
    cursor: KeyCursor,
    queues: { readonly eventTime: TimerQueue; readonly processingTime: TimerQueue },
    clock: Clock,
    handler: TimerHandler,
    output: Output<unknown>,
  ) {
    this.cursor = cursor;
    this.eventTime = queues.eventTime;
    this.processingTime = queues.processingTime;
    this.clock = clock;
    this.handler = handler;
    this.output = output;
  }

  currentProcessingTime(): number {
    return this.clock.nowMs();
  }

  registerEventTimeTimer(namespace: string, timestampMs: number): void {
    this.check(timestampMs);
    this.eventTime.register(namespace, timestampMs);
  }

  deleteEventTimeTimer(namespace: string, timestampMs: number): void {
    this.check(timestampMs);
    this.eventTime.delete(namespace, timestampMs);
  }

  registerProcessingTimeTimer(namespace: string, timestampMs: number): void {
    this.check(timestampMs);
    this.processingTime.register(namespace, timestampMs);
  }

  deleteProcessingTimeTimer(namespace: string, timestampMs: number): void {
    this.check(timestampMs);
    this.processingTime.delete(namespace, timestampMs);
  }

  /** Visits the timers there were at the start, in no order; `visit` may register and delete timers. The current key is the caller's again afterwards. */
  forEachEventTimeTimer(visit: (namespace: string, timestampMs: number) => void): void {
    const { eventTime, cursor } = this;
    const { hasKey, key, hash } = cursor;
    const ids: number[] = [];
    for (let id = 0; id < eventTime.idCount; id++) if (eventTime.rowOf(id) >= 0) ids.push(id);
    const sequences = ids.map((id) => eventTime.sequenceOf(id));
    ids.forEach((id, i) => {
      if (eventTime.rowOf(id) < 0 || eventTime.sequenceOf(id) !== sequences[i]) return;
      cursor.setToRow(eventTime.rowOf(id));
      visit(eventTime.namespaceOf(id), eventTime.timeOf(id));
    });
    if (hasKey) cursor.set(key, hash);
  }

  /**
   * Raises the watermark and fires event-time timers up to it. Returns false when `shouldYield` (asked after every timer) stopped it: call it
   * again with the same or a later watermark, and do not forward the watermark before it returned true.
   */
  advanceWatermark(timestampMs: number, shouldYield: () => boolean): boolean {
    if (timestampMs > this.currentWatermark) this.currentWatermark = timestampMs;
    const { eventTime, handler, output } = this;
    return this.advance(eventTime, this.currentWatermark, shouldYield, (time, namespace) => handler.onEventTime(time, namespace, output));
  }

  /** When the runtime must call {@link advanceProcessingTime} next; `undefined` without timers. May change with every registration. */
  nextProcessingTime(): number | undefined {
    return this.processingTime.peekTime();
  }

  /** Fires processing-time timers up to `nowMs`; as {@link advanceWatermark}. */
  advanceProcessingTime(nowMs: number, shouldYield: () => boolean): boolean {
    const { processingTime, handler, output } = this;
    return this.advance(processingTime, nowMs, shouldYield, (time, namespace) => handler.onProcessingTime(time, namespace, output));
  }

  get eventTimeTimerCount(): number {
    return this.eventTime.size;
  }

  get processingTimeTimerCount(): number {
    return this.processingTime.size;
  }

  private advance(queue: TimerQueue, until: number, shouldYield: () => boolean, fire: (timeMs: number, namespace: string) => void): boolean {
    for (;;) {
      const time = queue.peekTime();
      if (time === undefined || time > until) return true;
      const id = queue.peek();
      const namespace = queue.namespaceOf(id);
      this.cursor.setToRow(queue.rowOf(id));
      queue.remove(id);
      fire(time, namespace);
      if (shouldYield()) return queue.size === 0 || queue.peekTime()! > until;
    }
  }

  private check(timestampMs: number): void {
    if (!this.cursor.hasKey) throw noCurrentKey();
    if (!Number.isSafeInteger(timestampMs)) {
      throw new MillraceError({
        code: "TIMER_INVALID",
        message: `a timer was set to ${timestampMs}, which is not a time in integer milliseconds`,
        hint: "Round the time stamp, and check for undefined or NaN in what it is computed from.",
      });
    }
  }
}
