import { randomUUID } from "node:crypto";
import { copyFile, lstat, mkdir, readFile, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { MillraceError, PARALLELISM, isMillraceError, type Env } from "@millrace/core";
import { INSTALLED_LIBRARY, INSTALLED_PACKAGE, type JobGraph } from "@millrace/graph";
import { BLOB_PIECE_BYTES } from "../../blob/blob-store.js";
import type { JobManager } from "../../dispatcher/job-manager.js";
import type { ClusterEnv } from "../../rpc/cluster-env.js";
import { ArtifactCache } from "../../task-manager/artifact-cache.js";
import type { ArtifactGateway, ArtifactInfo, ArtifactRun } from "./rest-gateway.js";

/** Runs the program of a bundle, up to its `execute()`, where it can do nothing to this thread. */
export interface BundlePlanner {
  /** The module that stands for `millrace` in bundles here. */
  readonly libraryUrl: string;
  /** URL of an entry point of this installation's packages. */
  resolvePackage(specifier: string): string | undefined;
  /** @throws what the program throws, `JOB_NOT_DEFINED`, `JOB_PLANNING_TIMEOUT` */
  plan(request: BundlePlanRequest): Promise<JobGraph>;
}

export interface BundlePlanRequest {
  readonly artifactUrl: string;
  /** It runs on the library of {@link BundlePlanner.libraryUrl}. */
  readonly usesLibrary: boolean;
  /** What the bundle was called. */
  readonly source: string;
  readonly args: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly jobId: string;
}

export interface UploadedBundlesInit {
  readonly env: Pick<ClusterEnv, "fs" | "sha256Hex" | "randomHex"> & Pick<Env, "log">;
  /** Absolute; bundles stay in it. */
  readonly directory: string;
  /** Absolute; for what goes with this process. */
  readonly temporaryDirectory: string;
  readonly planner: BundlePlanner;
  /** Whoever leads now. @throws when that is another process */
  readonly leader: () => JobManager;
}

/** `<uuid>_<name>`, as Flink calls them: the name is one that the server has checked. */
const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}_[^/\\]+$/;

/** The bundles that were uploaded through REST, in a directory. Flink: the JARs of its web endpoint. */
export class UploadedBundles implements ArtifactGateway {
  readonly #init: UploadedBundlesInit;
  readonly #bound: ArtifactCache;

  constructor(init: UploadedBundlesInit) {
    this.#init = init;
    this.#bound = new ArtifactCache(init.env, init.temporaryDirectory, init.planner.libraryUrl, (specifier) => init.planner.resolvePackage(specifier));
  }

  async list(): Promise<readonly ArtifactInfo[]> {
    const names = (await readdir(this.#init.directory).catch(() => [])).filter((name) => ID.test(name));
    const infos = await Promise.all(names.map((name) => this.#info(name).catch(() => undefined)));
    return infos.filter((info) => info !== undefined).sort((a, b) => b.uploadedMs - a.uploadedMs);
  }

  /** @throws `BUNDLE_INVALID` for what `millrace bundle` has not made */
  async add(name: string, path: string): Promise<ArtifactInfo> {
    const text = await readFile(path, "utf8");
    if (!text.includes(INSTALLED_LIBRARY) && !text.includes(INSTALLED_PACKAGE)) {
      throw new MillraceError({ code: "BUNDLE_INVALID", message: `"${name}" is not the bundle of a job`, hint: "make one with: millrace bundle JOB" });
    }
    await mkdir(this.#init.directory, { recursive: true, mode: 0o700 });
    const id = `${randomUUID()}_${name}`;
    const target = join(this.#init.directory, id);
    await rename(path, target).catch(() => copyFile(path, target));
    return this.#info(id);
  }

  async delete(artifactId: string): Promise<void> {
    await this.#info(artifactId);
    await rm(join(this.#init.directory, artifactId), { force: true });
  }

  async plan(artifactId: string, run: ArtifactRun): Promise<JobGraph> {
    return (await this.#plan(artifactId, run)).jobGraph;
  }

  async run(artifactId: string, run: ArtifactRun): Promise<string> {
    const { jobGraph, artifact, bytes, source } = await this.#plan(artifactId, run);
    const { blobs, dispatcher } = this.#init.leader();
    await blobs.put(artifact, bytes);
    await dispatcher.submit({ jobGraph, artifact, source, args: run.args });
    this.#init.env.log.write("info", `${artifactId} was started through REST as job ${jobGraph.jobId}`);
    return jobGraph.jobId;
  }

  async #plan(artifactId: string, { args, parallelism, jobId, savepointPath, allowNonRestoredState, config }: ArtifactRun): Promise<{
    readonly jobGraph: JobGraph; readonly artifact: string; readonly bytes: Uint8Array; readonly source: string;
  }> {
    const { name: source } = await this.#info(artifactId);
    const { env, planner, directory } = this.#init;
    const bytes = new Uint8Array(await readFile(join(directory, artifactId)));
    const artifact = env.sha256Hex(bytes);
    const { path, usesLibrary } = await this.#bound.get(artifact, async (_, offset) => ({ bytes: bytes.subarray(offset, offset + BLOB_PIECE_BYTES), sizeBytes: bytes.length }));
    const jobGraph = await planner.plan({
      artifactUrl: new URL(`file://${path}`).href, usesLibrary, source, args, jobId: jobId ?? env.randomHex(16),
      config: {
        ...config, ...(parallelism === undefined ? {} : { [PARALLELISM.key]: parallelism }),
        ...(savepointPath === undefined ? {} : { "execution.state-recovery.path": savepointPath }), ...(allowNonRestoredState ? { "execution.state-recovery.ignore-unclaimed-state": true } : {}),
      },
    }).catch((cause: unknown) => {
      throw isMillraceError(cause) ? cause : new MillraceError({ code: "BUNDLE_FAILED", message: `the program of "${source}" failed: ${(cause as Error).message}`, cause });
    });
    return { jobGraph, artifact, bytes, source };
  }

  /** @throws `ARTIFACT_UNKNOWN` */
  async #info(id: string): Promise<ArtifactInfo> {
    const status = ID.test(id) ? await lstat(join(this.#init.directory, id)).catch(() => undefined) : undefined;
    if (status?.isFile() !== true) throw new MillraceError({ code: "ARTIFACT_UNKNOWN", message: `there is no uploaded bundle ${id.slice(0, 100)}` });
    return { id, name: id.slice(id.indexOf("_") + 1), uploadedMs: Math.round(status.mtimeMs) };
  }
}
