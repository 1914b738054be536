import { MillraceError, type Cancellable, type Env } from "@millrace/core";
import { MILLRACE_VERSION, releaseOf } from "../rpc/millrace-version.js";
import type { RpcConnection } from "../rpc/rpc-connection.js";
import type { TaskManagerAbout } from "../task-manager/task-manager-protocol.js";

export interface ResourceManagerInit {
  readonly env: Pick<Env, "clock" | "log">;
  readonly slotRequestTimeoutMs: number;
  /** Spreads the slots of a job evenly over the TaskManagers instead of filling one after the other. */
  readonly spreadEvenly: boolean;
}

/** A TaskManager that is registered now. */
export interface RegisteredTaskManager {
  readonly about: TaskManagerAbout;
  /** Of Millrace, such as `0.1`. */
  readonly release: string;
  readonly connection: RpcConnection;
  readonly registeredMs: number;
  readonly freeSlots: number;
  readonly lost: MillraceError | undefined;
}

/** Slots that one TaskManager gives to one job. */
export interface SlotGrant {
  readonly taskManager: RegisteredTaskManager;
  readonly count: number;
  /** Gives them back. Does nothing the second time. */
  free(): void;
  /** Called once when the TaskManager is lost while the slots are granted. */
  onLost: ((error: MillraceError) => void) | undefined;
}

/** Slots that somebody waits for. */
export interface SlotGrants {
  /** All of them at once. @throws `SLOTS_UNAVAILABLE`, `SLOT_REQUEST_CANCELED` */
  readonly granted: Promise<readonly SlotGrant[]>;
  /** Stops waiting. */
  cancel(): void;
}

interface Pending {
  readonly label: string;
  readonly count: number;
  readonly resolve: (grants: readonly SlotGrant[]) => void;
  readonly reject: (error: MillraceError) => void;
  readonly timer: Cancellable;
}

class Registration implements RegisteredTaskManager {
  readonly about: TaskManagerAbout;
  readonly release: string;
  readonly connection: RpcConnection;
  readonly registeredMs: number;
  readonly grants = new Set<Grant>();
  freeSlots: number;
  lost: MillraceError | undefined;

  constructor(about: TaskManagerAbout, connection: RpcConnection, registeredMs: number, release: string) {
    this.about = about;
    this.release = release;
    this.connection = connection;
    this.registeredMs = registeredMs;
    this.freeSlots = about.numberOfSlots;
  }
}

class Grant implements SlotGrant {
  readonly taskManager: Registration;
  readonly count: number;
  onLost: ((error: MillraceError) => void) | undefined;
  readonly #freed: () => void;

  constructor(taskManager: Registration, count: number, freed: () => void) {
    this.taskManager = taskManager;
    this.count = count;
    this.#freed = freed;
    taskManager.freeSlots -= count;
    taskManager.grants.add(this);
  }

  free(): void {
    if (!this.taskManager.grants.delete(this)) return;
    this.taskManager.freeSlots += this.count;
    this.#freed();
  }
}

/**
 * Knows the TaskManagers and gives their slots to jobs. A standalone one: it starts none, requests wait for those that come.
 *
 * A request gets all its slots at once or none, so that two jobs never wait for each other's. They are all of one release of Millrace: slots of
 * neighbouring releases need not understand each other.
 */
export class ResourceManager {
  readonly #init: ResourceManagerInit;
  readonly #taskManagers = new Map<string, Registration>();
  readonly #watchers = new Set<() => void>();
  #pending: Pending[] = [];

  constructor(init: ResourceManagerInit) {
    this.#init = init;
  }

  get taskManagers(): readonly RegisteredTaskManager[] {
    return [...this.#taskManagers.values()];
  }

  /** Slots that nobody holds. */
  get freeSlots(): number {
    return Math.max(0, ...this.#releases().map((release) => this.#freeSlotsOf(release)));
  }

  /** Calls back whenever slots come, go or are given back; not from inside a request. @returns stops that */
  watch(changed: () => void): () => void {
    this.#watchers.add(changed);
    return () => this.#watchers.delete(changed);
  }

  /** A TaskManager is there; one of the same name that was there before is lost. */
  register(about: TaskManagerAbout, connection: RpcConnection, version: string = MILLRACE_VERSION): RegisteredTaskManager {
    const { clock, log } = this.#init.env;
    const { taskManagerId } = about;
    const before = this.#taskManagers.get(taskManagerId);
    if (before !== undefined) {
      this.unregister(before, new MillraceError({ code: "TASK_MANAGER_LOST", message: "it registered again", recovery: "restart" }));
      before.connection.close();
    }
    const registration = new Registration(about, connection, clock.nowMs(), releaseOf(version));
    this.#taskManagers.set(taskManagerId, registration);
    log.write("info", `TaskManager ${taskManagerId} registered with ${about.numberOfSlots} slots`);
    this.#slotsChanged();
    return registration;
  }

  /** Its connection is lost: so is everything in its slots. */
  unregister(taskManager: RegisteredTaskManager, cause: MillraceError): void {
    const { taskManagerId } = taskManager.about;
    const registration = this.#taskManagers.get(taskManagerId);
    if (registration === undefined || registration !== taskManager) return;
    this.#taskManagers.delete(taskManagerId);
    registration.lost = new MillraceError({ code: "TASK_MANAGER_LOST", message: `TaskManager ${taskManagerId} was lost: ${cause.message}`, recovery: "restart", cause });
    this.#init.env.log.write("warn", registration.lost.message);
    for (const grant of registration.grants) grant.onLost?.(registration.lost);
    this.#slotsChanged();
  }

  /** @param label names the job in messages. @param waiting told when the slots are not there at once, with what is missing */
  request(label: string, count: number, waiting: (message: string) => void): SlotGrants {
    let pending: Pending;
    const granted = new Promise<readonly SlotGrant[]>((resolve, reject) => {
      const { clock } = this.#init.env;
      const timer = clock.setTimer(this.#init.slotRequestTimeoutMs, () => this.#withdraw(pending, this.#unavailable(label, count)));
      pending = { label, count, resolve, reject, timer };
      this.#pending.push(pending);
    });
    this.#serve();
    if (this.#pending.includes(pending!)) waiting(`${label} waits for ${this.missing(count)}`);
    return {
      granted,
      cancel: () => this.#withdraw(pending, new MillraceError({ code: "SLOT_REQUEST_CANCELED", message: `${label} no longer waits for slots`, recovery: "restart" })),
    };
  }

  #withdraw(pending: Pending, error: MillraceError): void {
    if (!this.#pending.includes(pending)) return;
    this.#pending = this.#pending.filter((other) => other !== pending);
    pending.timer.cancel();
    pending.reject(error);
  }

  /** Those who wait for slots come before those who could do with more. */
  #slotsChanged(): void {
    this.#serve();
    for (const changed of this.#watchers) changed();
  }

  #serve(): void {
    for (const pending of this.#pending) {
      const counts = this.#choose(pending.count);
      if (counts === undefined) continue;
      this.#pending = this.#pending.filter((other) => other !== pending);
      pending.timer.cancel();
      pending.resolve([...counts].map(([taskManager, count]) => new Grant(taskManager, count, () => this.#slotsChanged())));
    }
  }

  /** How many slots of which TaskManagers; `undefined` when there are too few. */
  #choose(count: number): ReadonlyMap<Registration, number> | undefined {
    for (const release of this.#releases()) {
      const chosen = this.#chooseOf(release, count);
      if (chosen !== undefined) return chosen;
    }
    return undefined;
  }

  /** The newest first: that is where a cluster is going. */
  #releases(): string[] {
    const releases = [...new Set([...this.#taskManagers.values()].map(({ release }) => release))];
    return releases.sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  }

  #chooseOf(release: string, count: number): ReadonlyMap<Registration, number> | undefined {
    const free = [...this.#taskManagers.values()].filter((taskManager) => taskManager.release === release && taskManager.freeSlots > 0).map((taskManager) => ({ taskManager, left: taskManager.freeSlots, taken: 0 }));
    if (free.reduce((sum, { left }) => sum + left, 0) < count) return undefined;
    for (let i = 0; i < count; i++) {
      const open = free.filter(({ left }) => left > 0);
      // Spread: the one that is used least; else the fullest one that has something left.
      const used = ({ taskManager, left }: (typeof free)[number]): number => 1 - left / taskManager.about.numberOfSlots;
      const best = open.reduce((a, b) => (this.#init.spreadEvenly ? used(b) < used(a) : b.taken === a.taken && used(b) > used(a)) ? b : a);
      best.left--;
      best.taken++;
    }
    return new Map(free.filter(({ taken }) => taken > 0).map(({ taskManager, taken }) => [taskManager, taken]));
  }

  #unavailable(label: string, count: number): MillraceError {
    return new MillraceError({
      code: "SLOTS_UNAVAILABLE", recovery: "restart", message: `${label} got no slots within ${this.#init.slotRequestTimeoutMs / 1000} s: it needs ${this.missing(count)}`,
      hint: "start more TaskManagers, give them more slots (taskmanager.numberOfTaskSlots), or lower the job's parallelism", location: { option: "slot.request.timeout" },
    });
  }

  #freeSlotsOf(release: string): number {
    return [...this.#taskManagers.values()].reduce((sum, one) => (one.release === release ? sum + one.freeSlots : sum), 0);
  }

  /** What is missing for so many slots, in words. */
  missing(count: number): string {
    const all = [...this.#taskManagers.values()];
    const total = all.reduce((sum, { about }) => sum + about.numberOfSlots, 0);
    const managers = `${all.length} TaskManager${all.length === 1 ? "" : "s"}`;
    const releases = this.#releases().map((release) => ({ release, free: this.#freeSlotsOf(release) }));
    const free = Math.max(0, ...releases.map((one) => one.free));
    const mixed = releases.length < 2 ? "" : ` (all of one release: ${releases.map((one) => `${one.release} has ${one.free}`).join(", ")})`;
    return `${count} slot${count === 1 ? "" : "s"}; ${managers} with ${total} slots ${all.length === 1 ? "is" : "are"} there, ${all.reduce((sum, { freeSlots }) => sum + freeSlots, 0)} of them free${mixed}, so ${count - free} are missing`;
  }
}
