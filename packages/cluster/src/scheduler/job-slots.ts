import type { MillraceError } from "@millrace/core";
import type { ResourceManager, RegisteredTaskManager, SlotGrant, SlotGrants } from "../resource-manager/resource-manager.js";

/** One of a job's slots, while regions of the job use it. */
export interface JobSlot {
  readonly taskManager: RegisteredTaskManager;
}

/** Slots that a region uses. */
export interface JobSlotLease {
  /** In the order they were asked for. */
  readonly slots: readonly JobSlot[];
  /** Called for each TaskManager that is lost meanwhile. */
  onLost: ((taskManager: RegisteredTaskManager, error: MillraceError) => void) | undefined;
  /** Does nothing the second time. */
  free(): void;
}

interface Held extends JobSlot {
  readonly grant: SlotGrant;
}

/**
 * The slots that a job holds, by its own numbers. All that it misses are requested together; they go back when no region uses any of them.
 *
 * Regions that are there at the same time share slots of the same number. Flink: SharedSlot, DeclarativeSlotPool.
 */
export class JobSlots {
  readonly #resources: ResourceManager;
  readonly #label: string;
  readonly #waiting: (message: string) => void;
  readonly #held = new Map<number, Held>();
  readonly #leases = new Set<JobSlotLease>();
  #request: { readonly grants: SlotGrants; readonly done: Promise<void> } | undefined;

  constructor(resources: ResourceManager, label: string, waiting: (message: string) => void) {
    this.#resources = resources;
    this.#label = label;
    this.#waiting = waiting;
  }

  /** Slots that still have their TaskManager. */
  get heldSlots(): number {
    return this.#held.size;
  }

  /** @param numberOfJobSlots all slots of the job. @throws `SLOTS_UNAVAILABLE`, `SLOT_REQUEST_CANCELED` */
  async lease(jobSlots: readonly number[], numberOfJobSlots: number): Promise<JobSlotLease> {
    while (jobSlots.some((slot) => !this.#held.has(slot))) {
      this.#request ??= this.#requestMissing(numberOfJobSlots);
      await this.#request.done;
    }
    const lease: JobSlotLease = {
      slots: jobSlots.map((slot) => this.#held.get(slot)!), onLost: undefined,
      free: () => {
        if (this.#leases.delete(lease) && this.#leases.size === 0) this.#freeAll();
      },
    };
    this.#leases.add(lease);
    return lease;
  }

  /** Whoever waits is refused with `SLOT_REQUEST_CANCELED`. */
  cancel(): void {
    this.#request?.grants.cancel();
  }

  #requestMissing(numberOfJobSlots: number): { readonly grants: SlotGrants; readonly done: Promise<void> } {
    const missing = Array.from({ length: numberOfJobSlots }, (_, slot) => slot).filter((slot) => !this.#held.has(slot));
    const grants = this.#resources.request(this.#label, missing.length, this.#waiting);
    const done = grants.granted.then((granted) => this.#take(missing, granted)).finally(() => (this.#request = undefined));
    return { grants, done };
  }

  #take(missing: readonly number[], granted: readonly SlotGrant[]): void {
    let next = 0;
    for (const grant of granted) {
      const numbers = missing.slice(next, (next += grant.count));
      for (const slot of numbers) this.#held.set(slot, { taskManager: grant.taskManager, grant });
      grant.onLost = (error) => {
        for (const slot of numbers) this.#held.delete(slot);
        for (const lease of this.#leases) lease.onLost?.(grant.taskManager, error);
      };
    }
  }

  #freeAll(): void {
    const grants = new Set([...this.#held.values()].map(({ grant }) => grant));
    this.#held.clear();
    for (const grant of grants) {
      grant.onLost = undefined;
      grant.free();
    }
  }
}
