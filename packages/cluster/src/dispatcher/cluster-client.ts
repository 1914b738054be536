import { MillraceError, type LogSink } from "@millrace/core";
import type { JobClient, JobExecutionResult, JobMetrics, JobStatus } from "@millrace/graph";
import { BLOB_PIECE_BYTES } from "../blob/blob-store.js";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import type { RpcConnection } from "../rpc/rpc-connection.js";
import { connectRpc } from "../rpc/rpc-endpoints.js";
import type { ClientMethods, SubmitJob, ToClient } from "./client-protocol.js";

export interface ClusterClientOptions {
  readonly env: Pick<ClusterEnv, "clock" | "net" | "sha256Hex">;
  readonly host: string;
  readonly port: number;
}

/** What an attached client does with what its job says. */
export interface AttachedJob {
  readonly log: LogSink;
  readonly collected: (collectId: string, subtaskIndex: number, batch: ArrayBuffer) => void;
  readonly status?: (status: JobStatus) => void;
}

/** A connection to a cluster's JobManager, to submit, follow and steer jobs. Ids of jobs may be cut short. */
export class ClusterClient {
  readonly #connection: RpcConnection;
  readonly #sha256Hex: ClusterEnv["sha256Hex"];
  readonly #attached = new Map<string, AttachedJob>();

  private constructor(connection: RpcConnection, sha256Hex: ClusterEnv["sha256Hex"]) {
    this.#connection = connection;
    this.#sha256Hex = sha256Hex;
    connection.handler = {
      request: () => {
        throw new MillraceError({ code: "RPC_UNKNOWN_METHOD", message: "a client answers no requests" });
      },
      tell: (method, body) => this.#tell(method as keyof ToClient, body),
      // Whoever waits for an answer is told.
      lost: () => undefined,
    };
  }

  /** @throws `CONNECTION_FAILED`, `RPC_MILLRACE_VERSION` and what else {@link connectRpc} throws */
  static async connect(options: ClusterClientOptions): Promise<ClusterClient> {
    const { env, host, port } = options;
    const { connection } = await connectRpc({ env, host, port, role: "client", about: undefined });
    return new ClusterClient(connection, env.sha256Hex);
  }

  /** Stores a file at the cluster, unless it has it; resolves with its key. @throws `BLOB_TOO_LARGE` */
  async upload(bytes: Uint8Array): Promise<string> {
    const key = this.#sha256Hex(bytes);
    if (await this.ask("hasBlob", { key })) return key;
    let offset = 0;
    do {
      const piece = bytes.subarray(offset, offset + BLOB_PIECE_BYTES);
      await this.ask("putBlob", { key, offset, bytes: piece, last: offset + piece.length >= bytes.length });
      offset += piece.length;
    } while (offset < bytes.length);
    return key;
  }

  /** Submits a job; with `attached`, what it says comes here until the client is closed. */
  async submit(submission: Omit<SubmitJob, "attached">, attached?: AttachedJob): Promise<JobClient> {
    const { jobId } = submission.jobGraph;
    if (attached !== undefined) this.#attached.set(jobId, attached);
    await this.ask("submitJob", { ...submission, attached: attached !== undefined });
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
      triggerSavepoint: (directory): Promise<string> => this.ask("triggerSavepoint", { ...ref, directory }),
      stopWithSavepoint: (options): Promise<string> => this.ask("stopWithSavepoint", { ...ref, ...options }),
    };
  }

  ask<M extends keyof ClientMethods>(method: M, ask: ClientMethods[M]["ask"]): Promise<ClientMethods[M]["answer"]> {
    return this.#connection.request(method, ask);
  }

  close(): void {
    this.#connection.close();
  }

  #tell(method: keyof ToClient, body: unknown): void {
    const { jobId } = body as { readonly jobId: string };
    const attached = this.#attached.get(jobId);
    if (attached === undefined) return;
    if (method === "collected") {
      const { collectId, subtaskIndex, batch } = body as ToClient["collected"];
      attached.collected(collectId, subtaskIndex, batch);
    } else if (method === "log") {
      const { level, line } = body as ToClient["log"];
      attached.log.write(level, line);
    } else if (method === "status") attached.status?.((body as ToClient["status"]).status);
  }
}
