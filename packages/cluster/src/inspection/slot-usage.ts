import type { NetworkUsage } from "@millrace/runtime";

/** What a slot uses, as it says itself from time to time. */
export interface SlotUsage extends IsolateUsage {
  /** Unless no job runs in it. */
  readonly network?: NetworkUsage | undefined;
  /** Of a slot that is a process: its memory, and the CPU time it has used. */
  readonly process: { readonly rssBytes: number; readonly cpuMicros: number } | undefined;
}

/** Memory and garbage collection of one V8 isolate. */
export interface IsolateUsage {
  readonly heapUsed: number;
  readonly heapCommitted: number;
  readonly heapMax: number;
  /** Outside of the heap: `arrayBuffers` is a part of it. */
  readonly external: number;
  readonly arrayBuffers: number;
  /** By the collector's name. */
  readonly collections: Readonly<Record<string, { readonly count: number; readonly timeMs: number }>>;
}
