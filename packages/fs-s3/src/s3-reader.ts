import { GetObjectCommand, type S3Client } from "@aws-sdk/client-s3";
import { MillraceError, type FileReader } from "@millrace/core";
import { nameOf, s3Error, statusOf } from "./s3-error.js";
import type { S3Location } from "./s3-location.js";

/** Broken off so often without one more byte, a transfer is given up. */
const MAX_RESUMES = 5;

/** Reads an object forward from a position, in one request; one that breaks off is continued, on the same version of the object. */
export class S3Reader implements FileReader {
  readonly #client: S3Client;
  readonly #path: string;
  readonly #location: S3Location;
  #position: number;
  #eTag: string | undefined;
  #body: (NodeJS.ReadableStream & { destroy(): void }) | undefined;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #rest: Uint8Array | undefined;
  #ended = false;
  #resumes = 0;

  constructor(client: S3Client, path: string, location: S3Location, fromByte: number) {
    this.#client = client;
    this.#path = path;
    this.#location = location;
    this.#position = fromByte;
  }

  /** Sends the request. @throws `FILE_NOT_FOUND`, `FILE_ACCESS_DENIED`, `FILE_CHANGED`, `S3_REQUEST_FAILED` */
  async open(): Promise<this> {
    const { bucket, key } = this.#location;
    try {
      const range = this.#position === 0 ? {} : { Range: `bytes=${this.#position}-` };
      const { Body, ETag } = await this.#client.send(new GetObjectCommand({ Bucket: bucket, Key: key, ...range, ...(this.#eTag === undefined ? {} : { IfMatch: this.#eTag }) }));
      this.#eTag = ETag;
      this.#body = Body as unknown as NodeJS.ReadableStream & { destroy(): void };
      this.#chunks = (this.#body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    } catch (error) {
      // Behind the end there is nothing to read.
      if (statusOf(error) === 416 || nameOf(error) === "InvalidRange") this.#ended = true;
      else if (statusOf(error) === 412) throw changed(this.#path);
      else throw s3Error(error, "read", this.#path);
    }
    return this;
  }

  async read(maxBytes: number, into?: Uint8Array): Promise<Uint8Array | undefined> {
    const bytes = into ?? new Uint8Array(maxBytes);
    let filled = 0;
    while (filled < maxBytes) {
      const chunk = this.#rest ?? (await this.#next());
      if (chunk === undefined) break;
      const count = Math.min(chunk.length, maxBytes - filled);
      bytes.set(count === chunk.length ? chunk : chunk.subarray(0, count), filled);
      filled += count;
      this.#rest = count === chunk.length ? undefined : chunk.subarray(count);
    }
    return filled === 0 ? undefined : filled === bytes.length ? bytes : bytes.subarray(0, filled);
  }

  async close(): Promise<void> {
    this.#ended = true;
    this.#rest = undefined;
    this.#body?.destroy();
    this.#body = undefined;
  }

  /** The next piece as it came over the network. */
  async #next(): Promise<Uint8Array | undefined> {
    while (!this.#ended) {
      try {
        const { value, done } = await this.#chunks!.next();
        if (done === true) this.#ended = true;
        else {
          this.#position += value.length;
          this.#resumes = 0;
          return value;
        }
      } catch (error) {
        if (++this.#resumes > MAX_RESUMES) throw s3Error(error, "read", this.#path);
        await this.open();
      }
    }
    return undefined;
  }
}

function changed(path: string): MillraceError {
  return new MillraceError({
    code: "FILE_CHANGED", message: `${path} was replaced while it was read`, recovery: "restart", location: { file: path },
    hint: "objects that a job reads must not be overwritten; give new data a new name",
  });
}
