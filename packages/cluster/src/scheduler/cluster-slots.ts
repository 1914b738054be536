import { MillraceError, serializeError } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import type { SlotCommand, SlotEvent, SocketPeer } from "@millrace/runtime";
import type { TaskLocation } from "../job-master/job-view.js";
import type { RegisteredTaskManager, ResourceManager } from "../resource-manager/resource-manager.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import { isConnectionLost } from "../rpc/rpc-connection.js";
import type { OpenSlots, OpenedSlots, ToTaskManager } from "../task-manager/task-manager-protocol.js";
import { JobSlots, type JobSlotLease } from "./job-slots.js";
import type { AllocatedSlots, SlotProvider, SlotRequest } from "./slot-provider.js";

/** What slots run of a job, beside its graph. */
export interface JobProgramFile {
  /** Key of the artifact in the blob store. */
  readonly artifact: string;
  /** The job's module as the user named it. */
  readonly source: string;
  readonly args: readonly string[];
}

export interface ClusterSlotsInit {
  readonly env: Pick<ClusterEnv, "clock" | "log" | "randomHex">;
  readonly resources: ResourceManager;
  readonly program: JobProgramFile;
  readonly job: Pick<JobGraph, "jobId" | "jobName">;
}

/** Takes the events of slots, by the allocation they belong to. */
export class SlotEventRouter {
  readonly #sinks = new Map<string, (slotIndex: number, event: SlotEvent) => void>();

  add(allocationId: string, sink: (slotIndex: number, event: SlotEvent) => void): void {
    this.#sinks.set(allocationId, sink);
  }

  remove(allocationId: string): void {
    this.#sinks.delete(allocationId);
  }

  /** Events of allocations that are over have no effect. */
  route(allocationId: string, slotIndex: number, event: SlotEvent): void {
    this.#sinks.get(allocationId)?.(slotIndex, event);
  }
}

/** One TaskManager's part of the slots of an epoch. */
interface Part {
  readonly taskManager: RegisteredTaskManager;
  readonly allocationId: string;
  /** Slots of the region, in the order of `ports`. */
  readonly slots: readonly number[];
  ports: readonly number[];
}

/** The slots of a cluster's TaskManagers for one job. */
export class ClusterSlots implements SlotProvider {
  readonly oneSlot = false;
  readonly unassigned: TaskLocation = { taskManagerId: "(unassigned)", endpoint: "(unassigned)" };
  readonly #init: ClusterSlotsInit;
  readonly #router: SlotEventRouter;
  readonly #slots: JobSlots;

  constructor(init: ClusterSlotsInit, router: SlotEventRouter) {
    const { env, resources, job: { jobName, jobId } } = init;
    this.#init = init;
    this.#router = router;
    this.#slots = new JobSlots(resources, `job "${jobName}" (${jobId})`, (message) => env.log.write("warn", message));
  }

  availableSlots(): number {
    return this.#slots.heldSlots + this.#init.resources.freeSlots;
  }

  missing(numberOfSlots: number): string {
    return this.#init.resources.missing(numberOfSlots);
  }

  watch(changed: () => void): () => void {
    return this.#init.resources.watch(changed);
  }

  /** @throws `SLOTS_UNAVAILABLE`, `SLOT_REQUEST_CANCELED`, `TASK_MANAGER_LOST`, or what opening the slots throws */
  async allocate(request: SlotRequest): Promise<AllocatedSlots> {
    const { env, program } = this.#init;
    const lease = await this.#slots.lease(request.jobSlots, request.numberOfJobSlots);
    const parts = [...new Set(lease.slots.map(({ taskManager }) => taskManager))].map((taskManager): Part => ({
      taskManager, allocationId: env.randomHex(16), slots: lease.slots.flatMap((slot, index) => (slot.taskManager === taskManager ? [index] : [])), ports: [],
    }));
    const slots = new ClusterSlotSet(env, this.#router, request, lease, parts);
    const secret = env.randomHex(16);
    // All are waited for, so that none opens its slots after they were released.
    const openings = await Promise.allSettled(parts.map(async (part) => {
      const opening: OpenSlots = {
        allocationId: part.allocationId, epoch: request.epoch, jobGraph: request.jobGraph, ...program, secret, slots: part.slots,
        jobSlots: part.slots.map((slot) => request.jobSlots[slot]!),
      };
      part.ports = (await part.taskManager.connection.request<OpenedSlots>("openSlots", opening)).ports;
    }));
    const failed = openings.find((opening) => opening.status === "rejected");
    if (failed === undefined) return slots;
    const error: unknown = failed.reason;
    await slots.release();
    throw isConnectionLost(error) ? new MillraceError({ code: "TASK_MANAGER_LOST", message: `a TaskManager was lost while it opened slots: ${(error as Error).message}`, recovery: "restart", cause: error }) : error;
  }

  abandon(): void {
    this.#slots.cancel();
  }
}

class ClusterSlotSet implements AllocatedSlots {
  readonly #env: ClusterSlotsInit["env"];
  readonly #router: SlotEventRouter;
  readonly #request: SlotRequest;
  readonly #lease: JobSlotLease;
  readonly #parts: readonly Part[];
  readonly #partOf: readonly Part[];
  #released: Promise<void> | undefined;

  constructor(env: ClusterSlotsInit["env"], router: SlotEventRouter, request: SlotRequest, lease: JobSlotLease, parts: readonly Part[]) {
    this.#env = env;
    this.#router = router;
    this.#request = request;
    this.#parts = parts;
    this.#lease = lease;
    this.#partOf = lease.slots.map((_, slotIndex) => parts.find((part) => part.slots.includes(slotIndex))!);
    for (const part of parts) router.add(part.allocationId, (slotIndex, event) => this.#onEvent(part, slotIndex, event));
    lease.onLost = (taskManager, error) => {
      for (const part of parts.filter((candidate) => candidate.taskManager === taskManager)) {
        for (const slotIndex of part.slots) this.#onEvent(part, slotIndex, { type: "slotFailed", error: serializeError(error) });
      }
    };
  }

  /** Known once all parts have opened their slots. */
  get locations(): readonly TaskLocation[] {
    return this.#partOf.map(({ taskManager: { about }, slots, ports }, slotIndex) => ({ taskManagerId: about.taskManagerId, endpoint: `${about.host}:${ports[slots.indexOf(slotIndex)]}` }));
  }

  send(slotIndex: number, command: SlotCommand): void {
    const part = this.#partOf[slotIndex]!;
    try {
      part.taskManager.connection.tell("command", { allocationId: part.allocationId, slotIndex, command } satisfies ToTaskManager["command"]);
    } catch (error) {
      this.#env.clock.yieldThen(() => this.#onEvent(part, slotIndex, { type: "slotFailed", error: serializeError(error) }));
    }
  }

  /** Slots of one TaskManager are connected by it. Of two in different ones, the lower listens and the higher connects. */
  connectAll(): void {
    for (const { taskManager, slots, allocationId } of this.#parts) {
      if (slots.length > 1) taskManager.connection.tell("connectLocal", { allocationId } satisfies ToTaskManager["connectLocal"]);
    }
    for (let higher = 0; higher < this.#partOf.length; higher++) {
      for (let lower = 0; lower < higher; lower++) if (this.#partOf[lower] !== this.#partOf[higher]) this.#connect(lower, higher);
    }
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    await Promise.all(this.#parts.map((part) => this.#releasePart(part)));
    this.#lease.onLost = undefined;
    this.#lease.free();
  }

  #connect(lower: number, higher: number): void {
    const { epoch } = this.#request;
    const part = this.#partOf[lower]!;
    const address = { host: part.taskManager.about.host, port: part.ports[part.slots.indexOf(lower)]! };
    this.send(lower, { type: "connect", epoch, peerSlot: higher, port: { kind: "socket", peerSlot: higher, address: undefined } satisfies SocketPeer });
    this.send(higher, { type: "connect", epoch, peerSlot: lower, port: { kind: "socket", peerSlot: lower, address } satisfies SocketPeer });
  }

  #onEvent(part: Part, slotIndex: number, event: SlotEvent): void {
    if (this.#released === undefined && part.slots.includes(slotIndex)) this.#request.onEvent(slotIndex, event);
  }

  /** A TaskManager that is lost runs nothing any more, or is about to find out. */
  async #releasePart({ taskManager, allocationId }: Part): Promise<void> {
    this.#router.remove(allocationId);
    try {
      if (taskManager.lost === undefined) await taskManager.connection.request("closeSlots", { allocationId } satisfies ToTaskManager["closeSlots"]);
    } catch (error) {
      if (!isConnectionLost(error)) this.#env.log.write("warn", `slots of TaskManager ${taskManager.about.taskManagerId} cannot be closed: ${(error as Error).message}`);
    }
  }
}
