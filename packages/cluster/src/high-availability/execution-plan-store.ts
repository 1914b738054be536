import { isMillraceError, MillraceError, type Env, type FencedStore } from "@millrace/core";

/** What a leader needs to run a submitted job again: its JobGraph and where its artifact is. JSON. */
export interface StoredExecutionPlan {
  readonly jobId: string;
  readonly plan: unknown;
}

interface PlanPointer {
  readonly file: string;
  readonly sizeBytes: number;
}

export interface ExecutionPlanStoreInit {
  readonly env: Pick<Env, "fs" | "log">;
  readonly store: FencedStore;
  readonly fencingToken: number;
  /** Absolute; the plans themselves are files in here. */
  readonly directory: string;
}

/**
 * The jobs a cluster has accepted and not yet finished. A plan is a file of its own name, written once; the fenced store points to it, so
 * what is not pointed to was never accepted. Flink: DefaultExecutionPlanStore with a StateHandleStore.
 */
export class ExecutionPlanStore {
  readonly #init: ExecutionPlanStoreInit;
  #written = 0;

  constructor(init: ExecutionPlanStoreInit) {
    this.#init = init;
  }

  async jobIds(): Promise<string[]> {
    const ids = await this.#init.store.list("jobs");
    const found = await Promise.all(ids.map(async (id) => ((await this.#pointer(id)) === undefined ? undefined : id)));
    return found.filter((id) => id !== undefined);
  }

  /**
   * @throws `HA_PLAN_UNREADABLE` when the job is known and its file is not there or is not what was written; what the storage throws when it cannot be
   * reached, which passes.
   */
  async get(jobId: string): Promise<StoredExecutionPlan | undefined> {
    const pointer = await this.#pointer(jobId);
    if (pointer === undefined) return undefined;
    const path = `${this.#init.directory}/${pointer.file}`;
    try {
      const bytes = await this.#init.env.fs.readFile(path);
      if (bytes.length !== pointer.sizeBytes) throw new Error(`${bytes.length} bytes, ${pointer.sizeBytes} were written`);
      return { jobId, plan: JSON.parse(new TextDecoder().decode(bytes)) };
    } catch (cause) {
      // To give a job up for an error of the storage would lose it until the next leader.
      if (isMillraceError(cause) && cause.code !== "FILE_NOT_FOUND") throw cause;
      throw new MillraceError({
        code: "HA_PLAN_UNREADABLE", message: `the plan of job ${jobId} cannot be read: ${(cause as Error).message}`,
        hint: "submit the job again from its last checkpoint", location: { file: path }, cause,
      });
    }
  }

  /** Adds or replaces a job's plan. The job counts as accepted when this resolves. @throws `LEADERSHIP_LOST`, `HA_UNAVAILABLE` */
  async put({ jobId, plan }: StoredExecutionPlan): Promise<void> {
    const { env, store, fencingToken, directory } = this.#init;
    const earlier = await this.#pointer(jobId);
    const bytes = new TextEncoder().encode(JSON.stringify(plan));
    const file = `${jobId}-${fencingToken}-${++this.#written}.json`;
    await env.fs.writeAtomic(`${directory}/${file}`, bytes);
    const pointer: PlanPointer = { file, sizeBytes: bytes.length };
    try {
      await store.commit(fencingToken, [{ type: "put", key: planKey(jobId), value: JSON.stringify(pointer) }]);
    } catch (error) {
      // Lost or unavailable: it may be pointed to after all, and stays.
      if (isMillraceError(error) && error.code === "HA_CONFLICT") await this.#deleteFile(file);
      throw error;
    }
    if (earlier !== undefined) await this.#deleteFile(earlier.file);
  }

  /** The job has reached its end and will not be run again. Removing one that is not there is fine. */
  async remove(jobId: string): Promise<void> {
    const pointer = await this.#pointer(jobId);
    if (pointer === undefined) return;
    await this.#init.store.commit(this.#init.fencingToken, [{ type: "delete", key: planKey(jobId) }]);
    await this.#deleteFile(pointer.file);
  }

  async #pointer(jobId: string): Promise<PlanPointer | undefined> {
    const stored = await this.#init.store.get(planKey(jobId));
    return stored === undefined ? undefined : (JSON.parse(stored.value) as PlanPointer);
  }

  async #deleteFile(file: string): Promise<void> {
    try {
      await this.#init.env.fs.delete(`${this.#init.directory}/${file}`);
    } catch (error) {
      this.#init.env.log.write("warn", `the plan ${file} could not be deleted: ${(error as Error).message}`);
    }
  }
}

function planKey(jobId: string): string {
  return `jobs/${jobId}/plan`;
}
