import type { SampledThread } from "./process-inspection.js";

/** What a process's inspector thread is asked. Numbers of threads are Node's, 0 is the main thread. */
export type InspectorRequest =
  | { readonly kind: "dump"; readonly ownThreadId?: number | undefined }
  /** Takes as long as the samples do. */
  | { readonly kind: "sample"; readonly threads: readonly number[]; readonly jobId: string; readonly samples: number; readonly delayMs: number; readonly depth: number };

export interface InspectorAnswers {
  readonly dump: readonly DumpedThread[];
  readonly sample: readonly SampledThread[];
}

/** One thread as it was found. */
export interface DumpedThread {
  readonly threadId: number;
  /** What the thread was called when it was started; empty for the main thread. */
  readonly name: string;
  /** Innermost first, as text; `undefined`: it waits, or is in native code. */
  readonly frames: readonly string[] | undefined;
}

export interface InspectorCall {
  readonly id: number;
  readonly request: InspectorRequest;
}

export interface InspectorReply {
  readonly id: number;
  readonly answer?: unknown;
  readonly error?: string;
}
