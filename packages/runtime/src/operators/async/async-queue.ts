import type { Output } from "@millrace/core";
import type { AsyncEntry, AsyncRecord } from "./async-entry.js";

/**
 * What is in flight, in order of arrival, and what of it may go out.
 *
 * Ordered: from the head, as far as records are done. Unordered: any record that is done, but none past a watermark that came before it.
 */
export class AsyncQueue {
  readonly #entries: AsyncEntry[] = [];
  readonly #ordered: boolean;
  #records = 0;

  constructor(ordered: boolean) {
    this.#ordered = ordered;
  }

  /** Records in the queue. */
  get size(): number {
    return this.#records;
  }

  add(entry: AsyncEntry): void {
    this.#entries.push(entry);
    if (entry.kind === "record") this.#records++;
  }

  records(): AsyncRecord[] {
    return this.#entries.filter((entry) => entry.kind === "record");
  }

  /** The first record that waits for room. */
  nextWaiting(): AsyncRecord | undefined {
    return this.#entries.find((entry): entry is AsyncRecord => entry.kind === "record" && !entry.invoked);
  }

  /** Emits what may go out now. */
  drain(out: Output<unknown>): void {
    const entries = this.#entries;
    let kept = 0;
    let next = 0;
    // Records of the first segment that stay behind are moved to the front of the array.
    for (; next < entries.length; next++) {
      const entry = entries[next]!;
      if (entry.kind === "watermark") {
        if (kept > 0) break;
        out.emitWatermark(entry.timestampMs);
      } else if (entry.results !== undefined) {
        this.#records--;
        for (const result of entry.results) out.collect(result, entry.timestampMs);
      } else if (this.#ordered) break;
      else entries[kept++] = entry;
    }
    entries.splice(kept, next - kept);
  }
}
