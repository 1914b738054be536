import type { JobGraph } from "@millrace/graph";
import type { SlotCommand, SlotEvent } from "@millrace/runtime";
import type { ProfilingRequest, StackSampling } from "../inspection/process-inspection.js";

/** How a TaskManager introduces itself to the ResourceManager. Its slots are all free: it keeps none over a lost connection. */
export interface TaskManagerAbout {
  readonly taskManagerId: string;
  /** Where slots of other TaskManagers reach the slots of this one. */
  readonly host: string;
  readonly numberOfSlots: number;
  readonly processId: number;
  /** To be shown. The heap is that of all slots. */
  readonly hardware: { readonly cpuCores: number; readonly physicalMemoryBytes: number; readonly heapBytes: number };
}

/** The slots that one epoch of a job gets of one TaskManager. */
export interface OpenSlots {
  /** Unique; every later message about these slots names it. */
  readonly allocationId: string;
  readonly epoch: number;
  readonly jobGraph: JobGraph;
  /** Key of the job's artifact in the blob store. */
  readonly artifact: string;
  readonly source: string;
  readonly args: readonly string[];
  /** What the slots of this epoch show each other. */
  readonly secret: string;
  /** Numbers of the slots within their region, which know each other by them. */
  readonly slots: readonly number[];
  /** The job's number of each: what regions of the job share counts once. */
  readonly jobSlots: readonly number[];
}

/** Where the slots listen, in the order of {@link OpenSlots.slots}. */
export interface OpenedSlots {
  readonly ports: readonly number[];
}

/** Of the JobManager: `connectLocal` and `command` are told, the others are requests. Those about the process are what `ProcessInspection` has. */
export interface ToTaskManager {
  readonly openSlots: OpenSlots;
  /** Answered when no code of these slots runs any more. */
  readonly closeSlots: { readonly allocationId: string };
  /** Connects all slots of an allocation with each other. */
  readonly connectLocal: { readonly allocationId: string };
  readonly command: { readonly allocationId: string; readonly slotIndex: number; readonly command: SlotCommand };
  readonly logs: undefined;
  readonly readLog: { readonly name: string; readonly offset: number };
  readonly threadDump: undefined;
  readonly processMetrics: undefined;
  readonly sampleStacks: StackSampling;
  readonly startProfiling: ProfilingRequest;
  readonly profilings: undefined;
  readonly readProfile: { readonly name: string; readonly offset: number };
}

/** Of the TaskManager, told. (It also asks for pieces of blobs: `readBlob`.) */
export interface ToJobManager {
  readonly event: { readonly allocationId: string; readonly slotIndex: number; readonly event: SlotEvent };
  /** It was told to stop. */
  readonly leaving: undefined;
}
