import { CountEvictor, CountTrigger, GlobalWindows, MillraceError, PurgingTrigger, type GlobalWindow } from "@millrace/core";
import { AllWindowedStream } from "./all-windowed-stream.js";
import type { DataStream } from "./data-stream.js";
import type { KeyedStream } from "./keyed-stream.js";
import { WindowedStream } from "./windowed-stream.js";

/** Tumbling: fires and empties the window every `size` records. Sliding: every `slide` records, over the last `size`. Flink: KeyedStream.countWindow. */
export function countWindow<T, K>(stream: KeyedStream<T, K>, size: number, slide: number | undefined): WindowedStream<T, K, GlobalWindow> {
  return withCounts(new WindowedStream<T, K, GlobalWindow>(stream, GlobalWindows.create()), size, slide);
}

export function countWindowAll<T>(stream: DataStream<T>, size: number, slide: number | undefined): AllWindowedStream<T, GlobalWindow> {
  return withCounts(new AllWindowedStream<T, GlobalWindow>(stream, GlobalWindows.create()), size, slide);
}

function withCounts<S extends WindowedStream<any, any, GlobalWindow> | AllWindowedStream<any, GlobalWindow>>(windows: S, size: number, slide: number | undefined): S {
  checkCount(size, "size");
  if (slide === undefined) {
    windows.trigger(PurgingTrigger.of(CountTrigger.of(size)));
    return windows;
  }
  checkCount(slide, "slide");
  windows.evictor(CountEvictor.of(size)).trigger(CountTrigger.of(slide));
  return windows;
}

function checkCount(value: number, what: string): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw new MillraceError({ code: "WINDOW_SIZE_INVALID", message: `the ${what} ${String(value)} of a count window is not a positive integer`, hint: "count windows are sized in records" });
}
