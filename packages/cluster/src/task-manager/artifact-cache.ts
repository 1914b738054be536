import { MillraceError } from "@millrace/core";
import { INSTALLED_LIBRARY, INSTALLED_PACKAGE } from "@millrace/graph";
import type { ClusterEnv } from "../rpc/cluster-env.js";
import { BlobStore, BlobUpload, type BlobPiece } from "../blob/blob-store.js";

const PACKAGE = new RegExp(`"${INSTALLED_PACKAGE}([^"]+)"`, "g");

export interface LocalArtifact {
  readonly path: string;
  readonly usesLibrary: boolean;
}

/** The artifacts of jobs on this machine: fetched once, checked against their hash, and bound to the library of this installation. */
export class ArtifactCache {
  readonly #env: Pick<ClusterEnv, "fs" | "sha256Hex">;
  readonly #blobs: BlobStore;
  readonly #directory: string;
  readonly #libraryUrl: string;
  readonly #resolvePackage: (specifier: string) => string | undefined;
  readonly #artifacts = new Map<string, Promise<LocalArtifact>>();

  /**
   * @param libraryUrl module that stands for `millrace` here
   * @param resolvePackage URL of an entry point of this installation's packages
   */
  constructor(env: Pick<ClusterEnv, "fs" | "sha256Hex">, directory: string, libraryUrl: string, resolvePackage: (specifier: string) => string | undefined = () => undefined) {
    this.#env = env;
    this.#directory = directory;
    this.#blobs = new BlobStore(env, `${directory}/blobs`);
    this.#libraryUrl = libraryUrl;
    this.#resolvePackage = resolvePackage;
  }

  /** @throws `BLOB_NOT_FOUND`, `BLOB_CORRUPT`, `PACKAGE_NOT_INSTALLED`, or what `readPiece` throws; then the next call tries again */
  get(key: string, readPiece: (key: string, offset: number) => Promise<BlobPiece>): Promise<LocalArtifact> {
    let artifact = this.#artifacts.get(key);
    if (artifact === undefined) {
      artifact = this.#fetch(key, readPiece);
      this.#artifacts.set(key, artifact);
      artifact.catch(() => this.#artifacts.delete(key));
    }
    return artifact;
  }

  async #fetch(key: string, readPiece: (key: string, offset: number) => Promise<BlobPiece>): Promise<LocalArtifact> {
    const kept = await this.#kept(key);
    const bytes = kept ?? (await this.#download(key, readPiece));
    const text = new TextDecoder().decode(bytes);
    const usesLibrary = text.includes(JSON.stringify(INSTALLED_LIBRARY));
    const path = `${this.#directory}/jobs/${key}.mjs`;
    await this.#env.fs.mkdirs(`${this.#directory}/jobs`);
    const bound = text.replaceAll(JSON.stringify(INSTALLED_LIBRARY), JSON.stringify(this.#libraryUrl)).replaceAll(PACKAGE, (_, specifier: string) => JSON.stringify(this.#installed(specifier)));
    await Promise.all([this.#env.fs.writeAtomic(path, new TextEncoder().encode(bound)), kept ?? this.#blobs.put(key, bytes)]);
    return { path, usesLibrary };
  }

  #installed(specifier: string): string {
    const url = this.#resolvePackage(specifier);
    if (url !== undefined) return url;
    throw new MillraceError({
      code: "PACKAGE_NOT_INSTALLED", message: `the job imports "${specifier}", which is not installed where this TaskManager runs from`,
      hint: `install ${specifier.split("/").slice(0, 2).join("/")} beside millrace on every TaskManager's machine`,
    });
  }

  async #kept(key: string): Promise<Uint8Array | undefined> {
    return (await this.#blobs.has(key)) ? this.#blobs.get(key).catch(() => undefined) : undefined;
  }

  async #download(key: string, readPiece: (key: string, offset: number) => Promise<BlobPiece>): Promise<Uint8Array> {
    const upload = new BlobUpload();
    for (let offset = 0; ; ) {
      const { bytes, sizeBytes } = await readPiece(key, offset);
      upload.append(offset, bytes);
      offset += bytes.length;
      if (offset >= sizeBytes) break;
      if (bytes.length === 0) throw new MillraceError({ code: "BLOB_CORRUPT", message: `blob ${key} ends before its size`, recovery: "restart" });
    }
    return upload.finish();
  }
}
