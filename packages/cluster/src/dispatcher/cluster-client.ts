import { MillraceError, isMillraceError, type LogSink } from "@millrace/core";
import type { JobClient, JobExecutionResult, JobGraph, JobMetrics, JobStatus, StopOptions } from "@millrace/graph";
import { BLOB_PIECE_BYTES } from "../blob/blob-store.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import { connectToLeader, type JobManagerLocation } from "../rpc/connect-to-leader.js";
import { isConnectionLost, type RpcConnection } from "../rpc/rpc-connection.js";
import type { ClientMethods, JobManagerAbout, SubmitJob, ToClient } from "./client-protocol.js";

export interface ClusterClientOptions {
  readonly env: Pick<ClusterEnv, "clock" | "net" | "sha256Hex" | "log" | "randomHex">;
  /** JobManagers of the cluster; whichever leads is found. Asked before each attempt to connect; may throw while there is none. */
  readonly jobManagers: () => readonly JobManagerLocation[];
  /** Called when the client is closed. */
  readonly onClose?: () => void;
  /** How long to look for another leader when the one is lost; default 2 minutes. Only clusters with high availability have another. */
  readonly searchTimeoutMs?: number;
}

/** What an attached client does with what its job says. */
export interface AttachedJob {
  readonly log: LogSink;
  readonly collected: (collectId: string, subtaskIndex: number, batch: ArrayBuffer) => void;
  readonly status?: (status: JobStatus) => void;
}

interface Attachment extends AttachedJob {
  readonly cancelOnExit: boolean;
  readonly runtimeMode: JobGraph["runtimeMode"];
  hasCollected: boolean;
}

const SEARCH_TIMEOUT_MS = 120_000;
const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 1000;
/** Answers that say: ask the next leader. */
const LEADERLESS: ReadonlySet<string> = new Set(["JOB_SUSPENDED", "LEADERSHIP_LOST"]);

/**
 * A connection to a cluster's JobManager, to submit, follow and steer jobs. Ids of jobs may be cut short.
 *
 * With high availability it survives the leader: it finds the next one, follows its jobs there, and asks again what was not answered. Everything it asks
 * may be asked twice.
 */
export class ClusterClient {
  readonly #options: ClusterClientOptions;
  readonly #attached = new Map<string, Attachment>();
  #connection: RpcConnection;
  #survives = false;
  #searching: Promise<void> | undefined;
  #closed = false;

  private constructor(options: ClusterClientOptions, connection: RpcConnection, about: unknown) {
    this.#options = options;
    this.#connection = connection;
    this.#use(connection, about);
  }

  /** @throws `CONNECTION_FAILED`, `JOB_MANAGER_STANDBY`, `RPC_MILLRACE_VERSION` and what else connecting throws */
  static async connect(options: ClusterClientOptions): Promise<ClusterClient> {
    const { connection, about } = await connect(options);
    return new ClusterClient(options, connection, about);
  }

  /** The cluster has other JobManagers that would go on with its jobs. */
  get isHighlyAvailable(): boolean {
    return this.#survives;
  }

  /** Stores a file at the cluster, unless it has it; resolves with its key. @throws `BLOB_TOO_LARGE` */
  async upload(bytes: Uint8Array): Promise<string> {
    const key = this.#options.env.sha256Hex(bytes);
    while (!(await this.ask("hasBlob", { key }))) {
      try {
        await this.#putPieces(key, bytes);
      } catch (error) {
        // Another leader has not heard of the pieces that this one took.
        if (!(await this.#hasNextLeader(error))) throw error;
      }
    }
    return key;
  }

  /** Submits a job; with `attached`, what it says comes here until the client is closed. */
  async submit(submission: Omit<SubmitJob, "attached">, attached?: AttachedJob): Promise<JobClient> {
    const { jobGraph: { jobId, runtimeMode }, cancelOnExit } = submission;
    if (attached !== undefined) this.#attached.set(jobId, { ...attached, cancelOnExit, runtimeMode, hasCollected: false });
    for (let isRepeated = false; ; isRepeated = true) {
      try {
        await this.#connection.request("submitJob", { ...submission, attached: attached !== undefined });
        break;
      } catch (error) {
        // The leader that was lost had taken it.
        if (isRepeated && isMillraceError(error) && error.code === "JOB_ALREADY_SUBMITTED") break;
        if (!(await this.#hasNextLeader(error))) throw error;
      }
    }
    return this.job(jobId);
  }

  job(jobId: string): JobClient {
    const ref = { jobId };
    return {
      jobId,
      getJobStatus: (): Promise<JobStatus> => this.ask("jobStatus", ref),
      cancel: (): Promise<void> => this.ask("cancelJob", ref),
      getJobExecutionResult: (): Promise<JobExecutionResult> => this.ask("jobResult", ref),
      getAccumulators: (): Promise<Readonly<Record<string, unknown>>> => this.ask("jobAccumulators", ref),
      getMetrics: (): Promise<JobMetrics> => this.ask("jobMetrics", ref),
      triggerCheckpoint: (): Promise<string> => this.ask("triggerCheckpoint", ref),
      triggerSavepoint: (directory, formatType): Promise<string> => this.ask("triggerSavepoint", { ...ref, directory, formatType }),
      stopWithSavepoint: (options): Promise<string> => this.stopWithSavepoint(jobId, options),
    };
  }

  /** Stops a job behind a savepoint, over the change of leaders; resolves with the savepoint's directory when the job has finished. */
  stopWithSavepoint(jobId: string, options?: StopOptions): Promise<string> {
    return this.ask("stopWithSavepoint", { jobId, ...options, requestId: this.#options.env.randomHex(16) });
  }

  async ask<M extends keyof ClientMethods>(method: M, ask: ClientMethods[M]["ask"]): Promise<ClientMethods[M]["answer"]> {
    for (;;) {
      try {
        return await this.#connection.request<ClientMethods[M]["answer"]>(method, ask);
      } catch (error) {
        if (!(await this.#hasNextLeader(error))) throw error;
      }
    }
  }

  close(): void {
    if (!this.#closed) this.#options.onClose?.();
    this.#closed = true;
    this.#connection.close();
  }

  async #putPieces(key: string, bytes: Uint8Array): Promise<void> {
    let offset = 0;
    do {
      const piece = bytes.subarray(offset, offset + BLOB_PIECE_BYTES);
      await this.#connection.request("putBlob", { key, offset, bytes: piece, last: offset + piece.length >= bytes.length });
      offset += piece.length;
    } while (offset < bytes.length);
  }

  #use(connection: RpcConnection, about: unknown): void {
    this.#connection = connection;
    this.#survives = (about as Partial<JobManagerAbout> | null | undefined)?.highAvailability === true;
    connection.handler = {
      request: () => {
        throw new MillraceError({ code: "RPC_UNKNOWN_METHOD", message: "a client answers no requests" });
      },
      tell: (method, body) => this.#tell(method as keyof ToClient, body),
      // Whoever waits for an answer is told.
      lost: () => undefined,
    };
  }

  /** When an error means that there is no leader: waits for the next one. `false` when it means something else, or there will be no other. */
  async #hasNextLeader(error: unknown): Promise<boolean> {
    const isLeaderless = isConnectionLost(error) || (isMillraceError(error) && LEADERLESS.has(error.code));
    if (!isLeaderless || !this.#survives || this.#closed) return false;
    // Results of a batch job come once, at its end: another attempt would give all of them again.
    if ([...this.#attached.values()].some(({ runtimeMode, hasCollected }) => runtimeMode === "BATCH" && hasCollected)) return false;
    this.#searching ??= this.#search(error).finally(() => (this.#searching = undefined));
    await this.#searching;
    return true;
  }

  /** @throws `error` when no leader was found in time */
  async #search(error: unknown): Promise<void> {
    const { clock, log } = this.#options.env;
    const untilMs = clock.monotonicMs() + (this.#options.searchTimeoutMs ?? SEARCH_TIMEOUT_MS);
    this.#connection.close();
    log.write("warn", `the JobManager was lost: ${(error as Error).message}; looking for the next leader`);
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)) {
      try {
        const { connection, about } = await connect(this.#options);
        if (this.#closed) return connection.close();
        this.#use(connection, about);
        for (const [jobId, { cancelOnExit }] of this.#attached) await this.#attachAgain(connection, jobId, cancelOnExit);
        log.write("info", "found the next leader");
        return;
      } catch (reason) {
        if (this.#closed || clock.monotonicMs() > untilMs) throw error;
        log.write("debug", `no leader yet: ${(reason as Error).message}`);
        await new Promise<void>((resolve) => clock.setTimer(retryMs, resolve));
      }
    }
  }

  async #attachAgain(connection: RpcConnection, jobId: string, cancelOnExit: boolean): Promise<void> {
    try {
      await connection.request("attachJob", { jobId, cancelOnExit });
    } catch (error) {
      // One whose submission was not answered yet is submitted again.
      if (!isMillraceError(error) || error.code !== "JOB_UNKNOWN") throw error;
    }
  }

  #tell(method: keyof ToClient, body: unknown): void {
    const { jobId } = body as { readonly jobId: string };
    const attached = this.#attached.get(jobId);
    if (attached === undefined) return;
    if (method === "collected") {
      const { collectId, subtaskIndex, batch } = body as ToClient["collected"];
      attached.hasCollected = true;
      attached.collected(collectId, subtaskIndex, batch);
    } else if (method === "log") {
      const { level, line } = body as ToClient["log"];
      attached.log.write(level, line);
    } else if (method === "status") attached.status?.((body as ToClient["status"]).status);
  }
}

async function connect({ env, jobManagers }: ClusterClientOptions): ReturnType<typeof connectToLeader> {
  return connectToLeader({ env, role: "client", about: undefined }, jobManagers());
}
