import { isMillraceError, type Env } from "@millrace/core";
import type { CheckpointStore } from "../checkpoint/checkpoint-store.js";
import type { CompletedCheckpoint } from "../checkpoint/completed-checkpoint-store.js";
import type { CheckpointIdCounter } from "./checkpoint-pointers.js";
import type { RecoveryStores } from "./high-availability-services.js";
import type { LeaderTerm } from "./leader-term.js";
import { LOST_CHECKPOINT } from "./finish-discards.js";
import { RecoveredCheckpoints } from "./recovered-checkpoints.js";

export interface JobCheckpointsInit {
  readonly env: Pick<Env, "fs" | "log">;
  readonly term: LeaderTerm;
  readonly stores: RecoveryStores;
  readonly jobId: string;
  /** `execution.checkpointing.num-retained` */
  readonly retained: number;
}

/**
 * The checkpoints of a job for its JobMaster, with every step written down for the next leader first. While the store is out of reach a step waits; when
 * the leadership is lost it never ends.
 *
 * One id is reserved ahead, so that a checkpoint that falls due need not wait for a commit; the one that nobody used is left out by the next leader.
 */
export class JobCheckpoints implements CheckpointStore {
  readonly #init: JobCheckpointsInit;
  readonly #ids: CheckpointIdCounter;
  #known: RecoveredCheckpoints | undefined;
  #reserved: number | undefined;
  #reserving = false;
  #ready: (() => void) | undefined;

  constructor(init: JobCheckpointsInit) {
    this.#init = init;
    this.#ids = init.stores.checkpointIdCounter(init.jobId);
  }

  get latest(): CompletedCheckpoint | undefined {
    return this.#known?.latest;
  }

  get all(): readonly CompletedCheckpoint[] {
    return this.#known?.all ?? [];
  }

  /** @throws `CHECKPOINT_NOT_FOUND` or `CHECKPOINT_UNREADABLE` when there were checkpoints and none can be read; a storage out of reach is waited for */
  async recover(): Promise<void> {
    const { env, term, stores, jobId, retained } = this.#init;
    const pointers = stores.checkpointPointers(jobId);
    const isLost = (error: unknown): boolean => isMillraceError(error) && LOST_CHECKPOINT.includes(error.code);
    this.#known = await term.persist(`the recovery of job ${jobId}`, () => RecoveredCheckpoints.recover({ env, pointers, retained }), (error) => !isLost(error));
  }

  async add(checkpoint: CompletedCheckpoint): Promise<void> {
    const { term, jobId } = this.#init;
    const { external, claimed, metadata: { checkpointId } } = checkpoint;
    // Of another job, which has counted by itself.
    if (external || claimed === true) await term.persist(`the restore of job ${jobId}`, () => this.#ids.advanceTo(checkpointId + 1));
    await term.persist(`checkpoint ${checkpointId} of job ${jobId}`, () => this.#recovered.add(checkpoint));
  }

  async discardAll(): Promise<void> {
    await this.#init.term.persist(`the cleanup of job ${this.#init.jobId}`, () => this.#recovered.discardAll());
  }

  async deleteFiles(path: string): Promise<void> {
    const { env } = this.#init;
    await env.fs.delete(path).catch((error: Error) => env.log.write("warn", `cannot delete ${path}: ${error.message}`));
  }

  takeId(ready: () => void): number | undefined {
    const id = this.#reserved;
    this.#reserved = undefined;
    if (id === undefined) this.#ready = ready;
    if (!this.#reserving) void this.#reserve();
    return id;
  }

  get #recovered(): RecoveredCheckpoints {
    return this.#known!;
  }

  async #reserve(): Promise<void> {
    const { term, jobId } = this.#init;
    this.#reserving = true;
    // Nobody else counts: whatever is wrong is tried again.
    this.#reserved = await term.persist(`the next checkpoint of job ${jobId}`, () => this.#ids.getAndIncrement(), () => true);
    this.#reserving = false;
    const ready = this.#ready;
    this.#ready = undefined;
    ready?.();
  }
}
