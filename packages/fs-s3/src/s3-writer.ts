import { CompleteMultipartUploadCommand, PutObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import type { FileWriter, MillraceError } from "@millrace/core";
import { MultipartUpload } from "./multipart-upload.js";
import { closedError, s3Error } from "./s3-error.js";
import type { S3Location } from "./s3-location.js";

/**
 * Writes an object, which shows, whole, when it is closed. Small ones take one request.
 *
 * Writes keep their order, awaited or not; bytes belong to the writer until the promise settles. After a failure the writer stays failed: closing it throws
 * what was sent away and the failure again.
 */
export class S3Writer implements FileWriter {
  readonly #client: S3Client;
  readonly #path: string;
  readonly #location: S3Location;
  /** Kept until it is known that one request will not do. */
  #first: Uint8Array[] = [];
  #upload: MultipartUpload | undefined;
  #position = 0;
  #queue: Promise<void> = Promise.resolve();
  #failure: MillraceError | undefined;
  #closed = false;

  constructor(client: S3Client, path: string, location: S3Location) {
    this.#client = client;
    this.#path = path;
    this.#location = location;
  }

  get positionBytes(): number {
    return this.#position;
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#closed) return Promise.reject(closedError(this.#path));
    this.#position += bytes.length;
    return this.#enqueue("write to", () => this.#append(bytes));
  }

  /** Nothing can be made durable before the object is whole: waits for what is being written. */
  sync(): Promise<void> {
    return this.#enqueue("write to", async () => {});
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      await this.#enqueue("write", () => this.#complete());
    } catch (error) {
      await this.#upload?.abort().catch(() => undefined);
      throw error;
    }
  }

  async #append(bytes: Uint8Array): Promise<void> {
    if (this.#upload !== undefined) return this.#upload.append(bytes);
    this.#first.push(bytes.slice());
    if (this.#position <= MultipartUpload.partBytes(0)) return;
    this.#upload = await MultipartUpload.begin(this.#client, this.#location);
    const first = this.#first;
    this.#first = [];
    for (const piece of first) await this.#upload.append(piece);
  }

  async #complete(): Promise<void> {
    const { bucket: Bucket, key: Key } = this.#location;
    if (this.#upload === undefined) {
      await this.#client.send(new PutObjectCommand({ Bucket, Key, Body: Buffer.concat(this.#first) }));
      return;
    }
    const parts = await this.#upload.finish();
    await this.#client.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId: this.#upload.uploadId, MultipartUpload: { Parts: [...parts] } }));
  }

  #enqueue(doing: string, work: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(async () => {
      if (this.#failure !== undefined) throw this.#failure;
      try {
        await work();
      } catch (error) {
        throw (this.#failure ??= s3Error(error, doing, this.#path));
      }
    });
    this.#queue = done.catch(() => undefined);
    return done;
  }
}
