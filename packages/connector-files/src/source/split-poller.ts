import type { ReaderOutput } from "@millrace/core";
import type { FileSourceSplit } from "./file-source-split.js";

/** Reads one split: files are fetched in the background, `poll` emits what is in memory. */
export interface SplitPoller<T> {
  readonly split: FileSourceSplit;
  /** Starts to fetch. Calling it again does nothing. */
  open(): void;
  /** All bytes of the split are in memory: time to fetch for the next one. */
  readonly fetched: boolean;
  /** Emits at most one batch. `"wait"`: call again after the reader was woken. */
  poll(output: ReaderOutput<T>): "emitted" | "wait" | "end";
  /** The split as it stands: everything emitted is behind its position. */
  snapshot(): FileSourceSplit;
  close(): Promise<void>;
}

/** Makes the poller of a split; it calls `wake` whenever something new is there. */
export type SplitPollerFactory<T> = (split: FileSourceSplit, wake: () => void) => SplitPoller<T>;
