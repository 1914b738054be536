import type { JobGraph } from "@millrace/graph";
import type { SlotCommand, SlotEvent } from "@millrace/runtime";
import type { TaskLocation } from "../job-master/job-view.js";

/** Slots for one epoch: one deployment of one region of a job. */
export interface SlotRequest {
  readonly epoch: number;
  readonly numberOfSlots: number;
  /** The job's number of each of them: regions that are there at the same time share slots of the same number, each with an isolate of its own. */
  readonly jobSlots: readonly number[];
  /** All slots of the job. A provider takes them together, so that no two jobs wait for each other's. */
  readonly numberOfJobSlots: number;
  readonly jobGraph: JobGraph;
  /**
   * Called for every event, in order per slot, never from inside a call of this interface. A slot that is lost reports `slotFailed`;
   * nothing comes after `release` has resolved.
   */
  readonly onEvent: (slotIndex: number, event: SlotEvent) => void;
}

/** The slots of one epoch. Commands to one slot take effect in the order they are sent. */
export interface AllocatedSlots {
  /** The TaskManager of each slot, to be shown; absent when everything runs in this process. */
  readonly locations?: readonly TaskLocation[];
  send(slotIndex: number, command: SlotCommand): void;
  /** Hands every pair of slots the two ends of a channel, as `connect` commands. */
  connectAll(): void;
  /**
   * Gives the slots back; resolves when no code of this epoch runs any more (in-thread slots: as far as they can be stopped).
   * May be called again; the second call waits for the first.
   */
  release(): Promise<void>;
}

/** Where a JobMaster gets slots from: this thread, worker threads, a cluster's TaskManagers. */
export interface SlotProvider {
  /** One slot hosts all subtasks, so no channels between slots exist. */
  readonly oneSlot: boolean;
  /** Shown for tasks that have no slot yet; absent when everything runs in this process. */
  readonly unassigned?: TaskLocation;
  /** Rejects when the slots cannot be had; the JobMaster treats that as a failure of the job. */
  allocate(request: SlotRequest): Promise<AllocatedSlots>;
  /** The job is being stopped: every `allocate` that still waits rejects. */
  abandon?(): void;
  /** How many slots the job can have now, those that it holds included. Absent: as many as it asks for. */
  availableSlots?(): number;
  /** What is missing for so many slots, in words. Of a provider that has a limit. */
  missing?(numberOfSlots: number): string;
  /** Calls back whenever more or fewer slots are available than before. Of a provider that has a limit. @returns stops that */
  watch?(changed: () => void): () => void;
}
