import type { JobGraph } from "@millrace/graph";
import type { SlotIdentity } from "@millrace/runtime";
import type { SlotUsage } from "../inspection/slot-usage.js";

/** What a slot's worker thread needs to rebuild the job's graph. Sent once, before any command. */
export interface SlotLoad {
  readonly type: "load";
  readonly artifactUrl: string;
  /** The job's module; becomes `process.argv[1]`. */
  readonly source: string;
  readonly args: readonly string[];
  readonly jobGraph: JobGraph;
  /** What the slot shows to slots of other processes, and asks of them. */
  readonly identity?: SlotIdentity | undefined;
}

/** The first word of a slot that listens for slots of other processes. */
export interface SlotListening {
  readonly type: "listening";
  /** Of TCP. */
  readonly port: number;
}

/** A stranger was turned away at the slot's port. For the log of the process. */
export interface SlotRefused {
  readonly type: "refused";
  readonly line: string;
}

/** What the slot uses, told from time to time. */
export interface SlotUses {
  readonly type: "uses";
  readonly usage: SlotUsage;
}
