import type { Mark } from "../record/record-batch.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import { corrupt } from "./codec-errors.js";

/*
 * Marks in the head of a batch: their number, then for each the records since the one before, its kind, and what it says. A job with a watermark per
 * event has as many marks as records, so they are as compact.
 */

const MARK_WATERMARK = 0;
const MARK_ACTIVE = 1;
const MARK_IDLE = 2;
const MARK_LATENCY = 3;

/** How many marks go with the records `[from, to)`: those behind each of them, and those before the first one of the batch. */
export function marksWithin(marks: readonly Mark[], from: number, to: number): number {
  let count = 0;
  for (const { at } of marks) if (isWithin(at, from, to)) count++;
  return count;
}

function isWithin(at: number, from: number, to: number): boolean {
  return at <= to && (at > from || (from === 0 && at === 0));
}

/** Writes the `count` marks that {@link marksWithin} counted. */
export function writeMarks(w: ByteWriter, marks: readonly Mark[], from: number, to: number, count: number): void {
  w.varuint(count);
  let last = from;
  for (const mark of marks) {
    if (!isWithin(mark.at, from, to)) continue;
    w.varuint(mark.at - last);
    last = mark.at;
    switch (mark.kind) {
      case "watermark":
        w.u8(MARK_WATERMARK);
        w.f64(mark.timestampMs);
        break;
      case "status":
        w.u8(mark.idle ? MARK_IDLE : MARK_ACTIVE);
        break;
      case "latency":
        w.u8(MARK_LATENCY);
        w.f64(mark.markedTimeMs);
        w.string(mark.operatorId);
        w.varuint(mark.subtaskIndex);
    }
  }
}

/** Reads the marks of a batch of `records` records. */
export function readMarks(r: ByteReader, records: number): Mark[] {
  const count = r.count(2);
  const marks: Mark[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    at += r.varuint();
    if (at > records) throw corrupt("a mark lies outside", r.position);
    marks.push(readMark(r, at));
  }
  return marks;
}

function readMark(r: ByteReader, at: number): Mark {
  const kind = r.u8();
  switch (kind) {
    case MARK_WATERMARK: return { at, kind: "watermark", timestampMs: r.f64() };
    case MARK_ACTIVE:
    case MARK_IDLE: return { at, kind: "status", idle: kind === MARK_IDLE };
    case MARK_LATENCY: return { at, kind: "latency", markedTimeMs: r.f64(), operatorId: r.string(), subtaskIndex: r.varuint() };
    default: throw corrupt("unknown kind of mark", r.position);
  }
}
