import { MillraceError, isMillraceError, serializeError, type Cancellable } from "@millrace/core";
import type { SlotCommand, SlotEvent } from "@millrace/runtime";
import type { BlobPiece } from "../blob/blob-store.js";
import type { ProcessInspection } from "../inspection/process-inspection.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import type { JobManagerLocation } from "../rpc/connect-to-leader.js";
import { unknownMethod, type RpcConnection } from "../rpc/rpc-connection.js";
import { connectRpc } from "../rpc/rpc-endpoints.js";
import type { ArtifactCache } from "./artifact-cache.js";
import type { HostedSlot, SlotHost } from "./slot-host.js";
import type { OpenSlots, OpenedSlots, TaskManagerAbout, ToJobManager, ToTaskManager } from "./task-manager-protocol.js";

export interface TaskManagerInit {
  readonly env: ClusterEnv;
  readonly about: TaskManagerAbout;
  /** Where the leading JobManager is, as far as it is known now. Asked before each attempt to connect. */
  readonly findJobManager: () => Promise<JobManagerLocation>;
  readonly registrationTimeoutMs: number;
  readonly slots: SlotHost;
  readonly artifacts: ArtifactCache;
  /** What is shown of this process. */
  readonly inspection?: ProcessInspection | undefined;
  /** Absolute; what slots keep on disk while they are open goes in here, by allocation. */
  readonly temporaryDirectory: string;
  /** The process must end: a slot cannot be stopped, or no JobManager was found in time. Called at most once. */
  readonly fatal: (error: MillraceError) => void;
  readonly onRegistered?: () => void;
}

/** The slots of one deployment of a region of a job here. */
interface Allocation {
  readonly epoch: number;
  readonly jobSlots: readonly string[];
  readonly slots: ReadonlyMap<number, HostedSlot>;
}

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2000;
/** What a task prints is written here, as Flink does, beside going to the client. */
const PRINTED = "print";

/**
 * Hosts slots for the JobManager it is connected to. A state machine on one thread.
 *
 * When the connection is lost it stops everything that runs in its slots, and connects again until `taskmanager.registration.timeout` is over.
 */
export class TaskManager {
  readonly #init: TaskManagerInit;
  readonly #allocations = new Map<string, Allocation>();
  #connection: RpcConnection | undefined;
  #retry: Cancellable | undefined;
  #retryMs = FIRST_RETRY_MS;
  #searchingSinceMs: number;
  /** Attempts to connect; only the latest counts. */
  #attempts = 0;
  /** The largest token of a leader that was heard of: who has a smaller one no longer leads. */
  #newestToken = 0;
  #lastRefusal = "";
  /** While slots of a lost leader are being closed. */
  #closing: Promise<void> | undefined;
  #stopped = false;

  constructor(init: TaskManagerInit) {
    this.#init = init;
    this.#searchingSinceMs = init.env.clock.monotonicMs();
  }

  start(): void {
    this.#connectNow();
  }

  /** Another JobManager leads: leaves the one before, and looks for the new one at once. */
  leaderChanged(fencingToken: number): void {
    this.#newestToken = Math.max(this.#newestToken, fencingToken);
    const connection = this.#connection;
    if (this.#stopped || connection?.token === String(this.#newestToken)) return;
    if (connection === undefined) {
      // Nothing is tried while slots are still being closed.
      if (this.#closing === undefined) this.#connectNow();
      return;
    }
    connection.close();
    void this.#lost(connection, new MillraceError({ code: "LEADER_CHANGED", message: `another one leads, with fencing token ${fencingToken}`, recovery: "restart" }));
  }

  /** Leaves the cluster; resolves when no slot runs any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#connection?.tell("leaving", undefined satisfies ToJobManager["leaving"]);
    this.#connection?.close();
    await this.#closeAll();
    await this.#init.slots.close();
  }

  #connectNow(): void {
    this.#retry?.cancel();
    void this.#connect(++this.#attempts);
  }

  async #connect(attempt: number): Promise<void> {
    const { env, findJobManager, about, onRegistered } = this.#init;
    try {
      const leader = await findJobManager();
      const { host, port } = leader;
      const { connection } = await connectRpc({ env, host, port, role: "taskmanager", about });
      if (this.#stopped || attempt !== this.#attempts) return connection.close();
      this.#checkLeads(connection, leader);
      this.#connection = connection;
      this.#retryMs = FIRST_RETRY_MS;
      connection.handler = {
        request: (method, body) => this.#request(method, body),
        tell: (method, body) => this.#tell(method, body),
        lost: (error) => void this.#lost(connection, error),
        refused: (method, error) => env.log.write("warn", `"${method}" was refused by the JobManager: ${error.message}`),
      };
      env.log.write("info", `registered at the JobManager ${host}:${port} with ${about.numberOfSlots} slots`);
      onRegistered?.();
    } catch (error) {
      if (!this.#stopped && attempt === this.#attempts) this.#retryLater(error as Error);
    }
  }

  /** @throws `RPC_FENCING_TOKEN`, and closes the connection, when the other side is not, or no longer, the leader */
  #checkLeads(connection: RpcConnection, { host, port, fencingToken }: JobManagerLocation): void {
    if (fencingToken === undefined || (connection.token === String(fencingToken) && fencingToken >= this.#newestToken)) return;
    connection.close();
    throw new MillraceError({
      code: "RPC_FENCING_TOKEN", recovery: "retry", message: `${host}:${port} answers with fencing token ${connection.token}, but the leader has ${Math.max(fencingToken, this.#newestToken)}`,
    });
  }

  #retryLater(error: Error): void {
    const { env, registrationTimeoutMs, fatal } = this.#init;
    const searchedMs = env.clock.monotonicMs() - this.#searchingSinceMs;
    if (searchedMs > registrationTimeoutMs) {
      this.#stopped = true;
      return fatal(new MillraceError({
        code: "REGISTRATION_TIMEOUT", message: `no JobManager took this TaskManager in within ${registrationTimeoutMs / 1000} s: ${error.message}`, cause: error,
        hint: "check jobmanager.rpc.address and jobmanager.rpc.port, or the high-availability options, and that the JobManager runs", location: { option: "taskmanager.registration.timeout" },
      }));
    }
    const passes = isMillraceError(error) && error.recovery === "retry";
    if (!passes && error.message !== this.#lastRefusal) env.log.write("warn", `cannot register at the JobManager: ${error.message}`);
    else env.log.write("debug", `cannot register at the JobManager: ${error.message}`);
    this.#lastRefusal = error.message;
    this.#retry = env.clock.setTimer(this.#retryMs, () => this.#connectNow());
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
  }

  async #lost(connection: RpcConnection, error: MillraceError): Promise<void> {
    if (this.#connection !== connection || this.#stopped) return;
    const { env } = this.#init;
    this.#connection = undefined;
    env.log.write("warn", `the JobManager was lost: ${error.message}; ${this.#allocations.size > 0 ? "stopping all slots and " : ""}connecting again`);
    this.#searchingSinceMs = env.clock.monotonicMs();
    this.#closing = this.#closeAll();
    await this.#closing;
    this.#closing = undefined;
    if (!this.#stopped) this.#connectNow();
  }

  #request(method: string, body: unknown): unknown {
    switch (method as keyof ToTaskManager) {
      case "openSlots": return this.#openSlots(body as OpenSlots);
      case "closeSlots": return this.#closeSlots((body as ToTaskManager["closeSlots"]).allocationId);
      case "logs": return this.#inspected.logs();
      case "readLog": {
        const { name, offset } = body as ToTaskManager["readLog"];
        return this.#inspected.readLog(String(name), Number(offset));
      }
      case "threadDump": return this.#inspected.threadDump();
      case "processMetrics": return this.#inspected.metrics();
      case "sampleStacks": return this.#inspected.sampleStacks(body as ToTaskManager["sampleStacks"]);
      case "startProfiling": return this.#inspected.startProfiling(body as ToTaskManager["startProfiling"]);
      case "profilings": return this.#inspected.profilings();
      case "readProfile": {
        const { name, offset } = body as ToTaskManager["readProfile"];
        return this.#inspected.readProfile(String(name), Number(offset));
      }
      default: throw unknownMethod(method);
    }
  }

  get #inspected(): ProcessInspection {
    const { inspection } = this.#init;
    if (inspection === undefined) throw new MillraceError({ code: "NOT_SUPPORTED", message: "this TaskManager does not show what goes on in its process" });
    return inspection;
  }

  #tell(method: string, body: unknown): void {
    if (method === "command") {
      const { allocationId, slotIndex, command } = body as ToTaskManager["command"];
      // The JobMaster cannot know this machine's disk.
      const local: SlotCommand = command.type === "start" ? { ...command, job: { ...command.job, temporaryDirectory: this.#temporaryDirectory(allocationId) } } : command;
      this.#allocations.get(allocationId)?.slots.get(slotIndex)?.send(local);
    } else if (method === "connectLocal") this.#connectLocal((body as ToTaskManager["connectLocal"]).allocationId);
  }

  async #openSlots(request: OpenSlots): Promise<OpenedSlots> {
    const { artifacts, slots: host, about } = this.#init;
    const connection = this.#connection!;
    const jobSlots = request.jobSlots.map((slot) => `${request.jobGraph.jobId}/${slot}`);
    const used = new Set([...this.#allocations.values()].flatMap((allocation) => allocation.jobSlots));
    const more = jobSlots.filter((slot) => !used.has(slot)).length;
    if (used.size + more > about.numberOfSlots) {
      throw new MillraceError({ code: "SLOTS_TAKEN", recovery: "restart", message: `TaskManager ${about.taskManagerId} has ${about.numberOfSlots} slots and ${used.size} in use; ${more} more were asked for` });
    }
    const artifact = await artifacts.get(request.artifact, (key, offset) => connection.request<BlobPiece>("readBlob", { key, offset }));
    if (this.#connection !== connection) throw new MillraceError({ code: "TASK_MANAGER_LOST", message: "the TaskManager lost its JobManager", recovery: "restart" });
    const { allocationId, epoch, source, args, jobGraph, secret } = request;
    const opened = new Map(request.slots.map((slotIndex) => [slotIndex, host.open(
      { artifactPath: artifact.path, usesLibrary: artifact.usesLibrary, source, args, jobGraph, identity: { slotIndex, secret } },
      (event) => this.#event(connection, allocationId, slotIndex, event),
    )] as const));
    this.#allocations.set(allocationId, { epoch, jobSlots, slots: opened });
    try {
      return { ports: await Promise.all([...opened.values()].map((slot) => slot.dataPort)) };
    } catch (error) {
      await this.#closeSlots(allocationId);
      throw error;
    }
  }

  #connectLocal(allocationId: string): void {
    const allocation = this.#allocations.get(allocationId);
    if (allocation === undefined) return;
    const slots = [...allocation.slots];
    slots.forEach(([slotA, a], at) => {
      for (const [slotB, b] of slots.slice(at + 1)) this.#init.slots.connect(allocation.epoch, a, slotA, b, slotB);
    });
  }

  #event(connection: RpcConnection, allocationId: string, slotIndex: number, event: SlotEvent): void {
    if (connection !== this.#connection || !this.#allocations.has(allocationId)) return;
    if (event.type === "log") this.#init.env.log.write(event.fromUser === true ? PRINTED : event.level, event.line);
    const tell = (told: SlotEvent): void => void connection.tell("event", { allocationId, slotIndex, event: told } satisfies ToJobManager["event"]);
    try {
      tell(event);
    } catch (error) {
      tell({ type: "slotFailed", error: serializeError(error) });
    }
  }

  async #closeSlots(allocationId: string): Promise<void> {
    const allocation = this.#allocations.get(allocationId);
    if (allocation === undefined) return;
    try {
      await Promise.all([...allocation.slots.values()].map((slot) => slot.terminate()));
    } catch (error) {
      this.#fatal(error);
      throw error;
    }
    this.#allocations.delete(allocationId);
    const { env } = this.#init;
    await env.fs.delete(this.#temporaryDirectory(allocationId)).catch((error: Error) => env.log.write("warn", `cannot delete what a slot kept on disk: ${error.message}`));
  }

  #temporaryDirectory(allocationId: string): string {
    return `${this.#init.temporaryDirectory}/${allocationId}`;
  }

  async #closeAll(): Promise<void> {
    await Promise.all([...this.#allocations.keys()].map((allocationId) => this.#closeSlots(allocationId).catch(() => undefined)));
  }

  /** A slot that cannot be stopped could go on writing: only the end of the process stops it. */
  #fatal(cause: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#connection?.close();
    this.#init.fatal(isMillraceError(cause) ? cause : new MillraceError({ code: "SLOT_NOT_TERMINATED", message: "a slot does not stop", cause }));
  }
}
