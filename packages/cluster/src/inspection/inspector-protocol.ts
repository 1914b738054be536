import type { ProfilingMode, SampledThread } from "./process-inspection.js";

/** What a process's inspector thread is asked. Numbers of threads are Node's, 0 is the main thread. */
export type InspectorRequest =
  | { readonly kind: "dump"; readonly ownThreadId?: number | undefined }
  /** Takes as long as the samples do. */
  | { readonly kind: "sample"; readonly threads: readonly number[]; readonly jobId: string; readonly samples: number; readonly delayMs: number; readonly depth: number }
  /** Takes `durationMs`. Without `threads`: all but the inspector's own. */
  | { readonly kind: "profile"; readonly threads?: readonly number[] | undefined; readonly mode: Exclude<ProfilingMode, "LOCK">; readonly durationMs: number };

export interface InspectorAnswers {
  readonly dump: readonly DumpedThread[];
  readonly sample: readonly SampledThread[];
  readonly profile: readonly ThreadProfile[];
}

/** What one thread did, as JSON texts that can stand in a page's script: they may be long, and whoever passes them on need not read them. */
export interface ThreadProfile {
  readonly threadId: number;
  /** What the thread was called when it was started; empty for the main thread. */
  readonly name: string;
  /** A `StackNode`: samples, or bytes of `ALLOC`. */
  readonly tree: string;
  /** As V8 tells it: a `.cpuprofile`, of `ALLOC` a `.heapprofile`. */
  readonly profile: string;
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
