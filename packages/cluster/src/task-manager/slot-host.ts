import type { JobGraph } from "@millrace/graph";
import type { SlotCommand, SlotEvent, SlotIdentity } from "@millrace/runtime";

/** What a slot is to run. */
export interface SlotOpening {
  /** Absolute path of the artifact on this machine. */
  readonly artifactPath: string;
  /** The artifact runs on the bundled library of this installation rather than on its packages. */
  readonly usesLibrary: boolean;
  readonly source: string;
  readonly args: readonly string[];
  readonly jobGraph: JobGraph;
  readonly identity: SlotIdentity;
}

/** A slot with a job in it. */
export interface HostedSlot {
  /** Where the slot listens for its peers in other TaskManagers. @throws what the slot died of before */
  readonly dataPort: Promise<number>;
  send(command: SlotCommand): void;
  /** Stops the slot wherever it is, an endless loop included. @throws `SLOT_NOT_TERMINATED` */
  terminate(): Promise<void>;
}

/** What slots are made of in a TaskManager: worker threads, or something else that keeps them apart. */
export interface SlotHost {
  /** Opens a slot. `onEvent` is called for everything it says, never from inside a call; one that is lost says `slotFailed`. */
  open(opening: SlotOpening, onEvent: (event: SlotEvent) => void): HostedSlot;
  /** Gives two slots of this host the ends of a channel between them, as `connect` commands. */
  connect(epoch: number, a: HostedSlot, slotA: number, b: HostedSlot, slotB: number): void;
  /** Stops what waits for a job. Open slots stay. */
  close(): Promise<void>;
}
