import type { JobGraph } from "@millrace/graph";

/** What a slot's worker thread needs to rebuild the job's graph. Sent once, before any command. */
export interface SlotLoad {
  readonly type: "load";
  readonly artifactUrl: string;
  /** The job's module; becomes `process.argv[1]`. */
  readonly source: string;
  readonly args: readonly string[];
  readonly jobGraph: JobGraph;
}
