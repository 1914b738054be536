import { MillraceError, type FileSystem } from "@millrace/core";
import { BlobUpload, checkBlobKey, type BlobStore } from "../blob/blob-store.js";
import { disposeSavepoint } from "../checkpoint/savepoint-files.js";
import type { JobResult } from "../high-availability/job-result-store.js";
import { unknownMethod, type RpcConnection, type RpcHandler } from "../rpc/rpc-connection.js";
import { ended } from "../job-master/job-end.js";
import { rescaled } from "../scheduler/resource-requirements.js";
import { requireRole, type PeerRole } from "../security/peer-roles.js";
import type { Role } from "../security/roles.js";
import type { ClientMethods, ClusterOverview, JobRef, ToClient } from "./client-protocol.js";
import type { Dispatcher } from "./dispatcher.js";
import { executionResult } from "./job-persistence.js";
import type { JobObserver, ManagedJob } from "./managed-job.js";

export interface ClientSessionInit {
  readonly dispatcher: Dispatcher;
  readonly blobs: BlobStore;
  readonly fs: FileSystem;
  readonly overview: () => ClusterOverview;
  /** Of the client's certificate. */
  readonly role: PeerRole;
}

/** Uploads that one client may have open. */
const MAX_UPLOADS = 4;
const MAX_REQUEST_ID = 64;

const neededRoles: { readonly [M in keyof ClientMethods]: Role } = {
  overview: "viewer", listJobs: "viewer", jobStatus: "viewer", jobResult: "viewer", jobMetrics: "viewer", jobAccumulators: "viewer", lastCheckpointPath: "viewer",
  resourceRequirements: "viewer", hasBlob: "submitter", putBlob: "submitter", submitJob: "submitter", attachJob: "submitter", cancelJob: "operator", triggerCheckpoint: "operator",
  rescaleJob: "operator", triggerSavepoint: "operator", stopWithSavepoint: "operator", disposeSavepoint: "operator",
};

type Ask<M extends keyof ClientMethods> = ClientMethods[M]["ask"];
type Answers = { readonly [M in keyof ClientMethods]: (ask: Ask<M>) => ClientMethods[M]["answer"] | Promise<ClientMethods[M]["answer"]> };

/** One client's connection to the Dispatcher. */
export class ClientSession implements RpcHandler {
  readonly #init: ClientSessionInit;
  readonly #connection: RpcConnection;
  readonly #uploads = new Map<string, BlobUpload>();
  readonly #unobserve: (() => void)[] = [];
  readonly #cancelOnExit: ManagedJob[] = [];
  /** Its own jobs a client may stop. */
  readonly #submitted = new Set<string>();

  constructor(init: ClientSessionInit, connection: RpcConnection) {
    this.#init = init;
    this.#connection = connection;
    connection.handler = this;
  }

  request(method: string, body: unknown): unknown {
    if (!Object.hasOwn(this.#answers, method)) throw unknownMethod(method);
    this.#checkRole(method as keyof ClientMethods, body);
    return (this.#answers[method as keyof ClientMethods] as (ask: unknown) => unknown)(body);
  }

  tell(): void {
    // A client only asks.
  }

  lost(): void {
    this.#uploads.clear();
    for (const stop of this.#unobserve) stop();
    for (const { master } of this.#cancelOnExit) master.cancel();
  }

  readonly #answers: Answers = {
    hasBlob: ({ key }) => this.#init.blobs.has(key),
    putBlob: async ({ key, offset, bytes, last }) => {
      const upload = this.#upload(checkBlobKey(key), offset);
      try {
        upload.append(offset, bytes);
      } catch (error) {
        this.#uploads.delete(key);
        throw error;
      }
      if (!last) return undefined;
      this.#uploads.delete(key);
      await this.#init.blobs.put(key, upload.finish());
      return undefined;
    },
    submitJob: async ({ attached, cancelOnExit, ...submission }) => {
      const jobId = String(submission.jobGraph?.jobId);
      const job = await this.#init.dispatcher.submit(submission, attached ? this.#observer(jobId) : undefined);
      this.#submitted.add(jobId);
      if (attached && cancelOnExit) this.#cancelOnExit.push(job);
      return { jobId };
    },
    attachJob: async ({ jobId, cancelOnExit }) => {
      const { dispatcher } = this.#init;
      if (!dispatcher.idsLike(jobId).includes(jobId) && (await dispatcher.resultOfEarlier(jobId)) !== undefined) return undefined;
      const job = dispatcher.job(jobId);
      const observer = this.#observer(jobId);
      this.#unobserve.push(job.observe(observer));
      observer.status?.(job.master.status);
      if (cancelOnExit) this.#cancelOnExit.push(job);
      return undefined;
    },
    overview: () => this.#init.overview(),
    listJobs: () => this.#init.dispatcher.list(),
    jobStatus: (ref) => this.#ofJob(ref, ({ master }) => master.status, ({ state }) => state),
    cancelJob: async (ref) => {
      const { master } = this.#job(ref);
      master.cancel();
      await master.result.catch(() => undefined);
      return undefined;
    },
    jobResult: (ref) => this.#ofJob(ref, ({ master }) => master.result, executionResult),
    jobMetrics: (ref) => this.#ofJob(ref, ({ master }) => master.metrics(), ({ state }) => ({
      status: state, restarts: 0, checkpointsCompleted: 0, lastCheckpointDurationMs: undefined, lastCheckpointSize: undefined, lastCheckpointFullSize: undefined, vertices: [], rescales: 0, lastRestartDurationMs: undefined,
    })),
    jobAccumulators: (ref) => this.#ofJob(ref, ({ master }) => master.accumulators(), (result) => executionResult(result).accumulators),
    resourceRequirements: (ref) => {
      const { master } = this.#job(ref);
      return master.jobGraph.vertices.map(({ id, name, parallelism }) => ({ vertexId: id, name, parallelism, ...master.requirements[id]! }));
    },
    rescaleJob: async ({ parallelism, vertices, ...ref }) => {
      const { master } = this.#job(ref);
      await master.updateRequirements(rescaled(master.requirements, master.jobGraph, parallelism, vertices ?? {}));
      return undefined;
    },
    triggerCheckpoint: (ref) => this.#job(ref).master.triggerCheckpoint(ref.full === true),
    triggerSavepoint: (ref) => this.#job(ref).master.triggerSavepoint(optionalText(ref.directory), ref.formatType ?? undefined),
    stopWithSavepoint: (ref) => this.#ofJob(
      ref, ({ master }) => master.stopWithSavepoint({ directory: optionalText(ref.directory), drain: ref.drain === true, formatType: ref.formatType ?? undefined }, optionalText(ref.requestId)?.slice(0, MAX_REQUEST_ID)),
      ({ stop }) => {
        if (stop === undefined || (stop.requestId !== undefined && stop.requestId !== ref.requestId)) throw ended();
        return stop.path;
      }),
    disposeSavepoint: async ({ path }) => {
      await disposeSavepoint(this.#init.fs, String(path));
      return undefined;
    },
    lastCheckpointPath: (ref) => this.#job(ref).master.lastCheckpointPath,
  };

  #checkRole(method: keyof ClientMethods, body: unknown): void {
    const needed = neededRoles[method];
    const isOwn = needed === "operator" && this.#submitted.has(String((body as Partial<JobRef> | undefined)?.jobId));
    if (!isOwn) requireRole(this.#init.role, needed, `do "${method}"`);
  }

  #upload(key: string, offset: number): BlobUpload {
    if (offset === 0) {
      if (this.#uploads.size >= MAX_UPLOADS) throw new MillraceError({ code: "BLOB_PIECE_INVALID", message: `${MAX_UPLOADS} uploads are open already` });
      this.#uploads.set(key, new BlobUpload());
    }
    const upload = this.#uploads.get(key);
    if (upload === undefined) throw new MillraceError({ code: "BLOB_PIECE_INVALID", message: `the upload of blob ${key} has not begun` });
    return upload;
  }

  /** Asks a job, or, of one that an earlier leader has ended, its result. */
  async #ofJob<T>(ref: JobRef, ofJob: (job: ManagedJob) => T | Promise<T>, ofResult: (result: JobResult) => T): Promise<T> {
    let job: ManagedJob;
    try {
      job = this.#job(ref);
    } catch (error) {
      const result = await this.#init.dispatcher.resultOfEarlier(String(ref.jobId));
      if (result === undefined) throw error;
      return ofResult(result);
    }
    return ofJob(job);
  }

  /** An id may be cut short as long as it stays the only one. */
  #job({ jobId }: JobRef): ManagedJob {
    const { dispatcher } = this.#init;
    const ids = dispatcher.idsLike(String(jobId));
    if (ids.length > 1 && !ids.includes(jobId)) throw new MillraceError({ code: "JOB_UNKNOWN", message: `${ids.length} jobs have an id that begins with "${jobId}"` });
    return dispatcher.job(ids.includes(jobId) ? jobId : (ids[0] ?? String(jobId)));
  }

  #observer(jobId: string): JobObserver {
    let silent = false;
    this.#unobserve.push(() => (silent = true));
    // A client that is slow leaves what it is sent in the network, and then here; one that is gone is not waited for.
    const tell = <M extends keyof ToClient>(method: M, body: ToClient[M]): void | Promise<void> => {
      if (!silent && !this.#connection.tell(method, body)) return this.#connection.drained();
    };
    return {
      collected: (collectId, subtaskIndex, batch) => tell("collected", { jobId, collectId, subtaskIndex, batch }),
      log: (level, line) => tell("log", { jobId, level, line }),
      status: (status) => void tell("status", { jobId, status }),
    };
  }
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
