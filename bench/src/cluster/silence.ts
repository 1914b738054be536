import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** When the subtasks of the job `interruptions` put something out: doubles of milliseconds since the epoch, ordered. */
export function outputTimes(directory: string): readonly number[] {
  return readdirSync(directory).flatMap((name) => {
    const bytes = readFileSync(join(directory, name));
    return [...new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + Math.floor(bytes.length / 8) * 8))];
  }).sort((a, b) => a - b);
}

/** The longest time without output that ended after `sinceMs`. Output may come in bursts of up to 200 ms before. */
export function longestSilenceMs(times: readonly number[], sinceMs: number): number {
  let longestMs = 0;
  for (let i = 1; i < times.length; i++) if (times[i]! > sinceMs) longestMs = Math.max(longestMs, times[i]! - times[i - 1]!);
  return longestMs;
}

/** From a moment until there was output after the longest silence that followed. */
export function backAfterMs(times: readonly number[], sinceMs: number): number {
  let [longestMs, back] = [0, Number.NaN];
  for (let i = 1; i < times.length; i++) {
    const gapMs = times[i]! - times[i - 1]!;
    if (times[i]! > sinceMs && gapMs > longestMs) [longestMs, back] = [gapMs, times[i]!];
  }
  return back - sinceMs;
}
