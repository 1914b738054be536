import type { SerializedError } from "@millrace/core";
import type { JobClient, JobGraph } from "@millrace/graph";

/** What the worker thread that runs a job's program is started with. */
export interface ProgramStart {
  readonly artifactUrl: string;
  /** The job's module; becomes `process.argv[1]`. */
  readonly source: string;
  readonly args: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly parameters: Readonly<Record<string, string>>;
  readonly jobId: string;
}

/** What one is started with that is told later. */
export interface ProgramWaits {
  /** Loaded while it waits. */
  readonly preloadUrl: string;
}

/** What the thread has from its start. */
export interface ProgramThreadData {
  readonly start: ProgramStart | ProgramWaits;
  /** Of its `ModuleGate`. */
  readonly gate: SharedArrayBuffer;
}

/** The calls a program may make on its submitted job. */
export type ClientMethod = Exclude<keyof JobClient, "jobId">;

export type ProgramMessage =
  | { readonly type: "plan"; readonly jobGraph: JobGraph; readonly warnings: readonly string[] }
  | { readonly type: "call"; readonly callId: number; readonly method: ClientMethod; readonly args: readonly unknown[] }
  | { readonly type: "failed"; readonly error: SerializedError };

export type ProgramCommand =
  | { readonly type: "submitted" }
  | { readonly type: "reply"; readonly callId: number; readonly value?: unknown; readonly error?: SerializedError }
  | { readonly type: "collected"; readonly collectId: string; readonly subtaskIndex: number; readonly batch: ArrayBuffer };
