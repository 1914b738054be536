import { MillraceError } from "../errors/millrace-error.js";
import { duration, type DurationLike } from "../time/duration.js";
import { NO_TIMESTAMP } from "../time/timestamps.js";

/** An offset of aligned windows: a duration that may be negative, `-28800000` or `"-8 h"`. */
export type WindowOffset = DurationLike | `-${number}${string}`;

/** Parses an offset; unlike a duration it may be negative. */
export function windowOffset(offset: WindowOffset): number {
  if (typeof offset === "number") return offset < 0 ? -duration(-offset as DurationLike) : duration(offset);
  const text = offset.trim();
  return text.startsWith("-") ? -duration(text.slice(1).trim() as DurationLike) : duration(offset as DurationLike);
}

/** Parses a window length, which must be positive. @throws `WINDOW_INVALID` */
export function windowLength(assigner: string, what: string, value: DurationLike): number {
  const ms = duration(value);
  if (ms <= 0) throw invalidWindow(assigner, `${what} must be longer than 0, it is ${ms} ms`, `give ${what} as milliseconds or text such as "10 s"`);
  return ms;
}

/** @throws `WINDOW_INVALID` unless |offset| < period. */
export function checkOffset(assigner: string, offsetMs: number, periodMs: number): void {
  if (Math.abs(offsetMs) < periodMs) return;
  throw invalidWindow(assigner, `the offset (${offsetMs} ms) must be smaller than the window's period (${periodMs} ms)`, "reduce the offset modulo the period");
}

export function invalidWindow(assigner: string, message: string, hint: string): MillraceError {
  return new MillraceError({ code: "WINDOW_INVALID", message: `${assigner}: ${message}`, hint });
}

/** What an event-time assigner does with a record that has no time stamp. @throws `TIMESTAMP_MISSING` */
export function requireTimestamp(timestampMs: number): void {
  if (timestampMs !== NO_TIMESTAMP) return;
  throw new MillraceError({
    code: "TIMESTAMP_MISSING",
    message: "a record without a time stamp reached an event-time operator",
    hint: "call assignTimestampsAndWatermarks before it, give the source a WatermarkStrategy with a timestamp assigner, or use processing-time windows",
  });
}
