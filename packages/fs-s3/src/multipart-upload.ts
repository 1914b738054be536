import { AbortMultipartUploadCommand, CreateMultipartUploadCommand, UploadPartCommand, type CompletedPart, type S3Client } from "@aws-sdk/client-s3";
import type { S3Location } from "./s3-location.js";

const MIN_PART_BYTES = 8 * 1024 * 1024;
const MAX_IN_FLIGHT = 4;

/**
 * One upload in parts. Bytes are copied when they are appended; parts go out as they fill, four at a time.
 *
 * There may be 10,000 parts: after every thousand their size doubles, so that an object may be as large as S3 allows (5 TiB).
 */
export class MultipartUpload {
  readonly uploadId: string;
  readonly #client: S3Client;
  readonly #location: S3Location;
  readonly #inFlight = new Set<Promise<void>>();
  readonly #parts: CompletedPart[] = [];
  #buffer: Uint8Array = new Uint8Array(0);
  #buffered = 0;
  #numbered = 0;
  #failure: { readonly error: unknown } | undefined;

  private constructor(client: S3Client, location: S3Location, uploadId: string) {
    this.#client = client;
    this.#location = location;
    this.uploadId = uploadId;
  }

  /** @param retried called when the request was sent more than once, so that it may have begun more uploads than this one */
  static async begin(client: S3Client, location: S3Location, retried?: (uploadId: string) => Promise<void>): Promise<MultipartUpload> {
    const { UploadId, $metadata } = await client.send(new CreateMultipartUploadCommand({ Bucket: location.bucket, Key: location.key }));
    if (($metadata.attempts ?? 1) > 1) await retried?.(UploadId!);
    return new MultipartUpload(client, location, UploadId!);
  }

  /** The size that the next part will have. */
  static partBytes(partsSoFar: number): number {
    return MIN_PART_BYTES * 2 ** Math.floor(partsSoFar / 1000);
  }

  async append(bytes: Uint8Array): Promise<void> {
    for (let from = 0; from < bytes.length; ) {
      const partBytes = MultipartUpload.partBytes(this.#numbered);
      if (this.#buffer.length !== partBytes) this.#buffer = resized(this.#buffer, this.#buffered, partBytes);
      const count = Math.min(partBytes - this.#buffered, bytes.length - from);
      this.#buffer.set(bytes.subarray(from, from + count), this.#buffered);
      this.#buffered += count;
      from += count;
      if (this.#buffered === partBytes) await this.#sendPart();
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Sends what is left. An object has at least one part, be it empty. */
  async finish(): Promise<readonly CompletedPart[]> {
    if (this.#buffered > 0 || this.#numbered === 0) await this.#sendPart();
    await Promise.all(this.#inFlight);
    if (this.#failure !== undefined) throw this.#failure.error;
    return this.#parts;
  }

  async abort(): Promise<void> {
    await Promise.all(this.#inFlight);
    await this.#client.send(new AbortMultipartUploadCommand({ Bucket: this.#location.bucket, Key: this.#location.key, UploadId: this.uploadId }));
  }

  async #sendPart(): Promise<void> {
    while (this.#inFlight.size >= MAX_IN_FLIGHT) await Promise.race(this.#inFlight);
    const body = this.#buffer.subarray(0, this.#buffered);
    this.#buffer = new Uint8Array(0);
    this.#buffered = 0;
    const number = ++this.#numbered;
    const sending = this.#upload(number, body).then(
      (eTag) => void (this.#parts[number - 1] = { PartNumber: number, ETag: eTag }),
      (error: unknown) => void (this.#failure ??= { error }),
    ).finally(() => this.#inFlight.delete(sending));
    this.#inFlight.add(sending);
  }

  async #upload(number: number, body: Uint8Array): Promise<string> {
    const { bucket, key } = this.#location;
    const { ETag } = await this.#client.send(new UploadPartCommand({ Bucket: bucket, Key: key, UploadId: this.uploadId, PartNumber: number, Body: body, ContentLength: body.length }));
    return ETag!;
  }
}

function resized(buffer: Uint8Array, used: number, size: number): Uint8Array {
  const larger = new Uint8Array(size);
  larger.set(buffer.subarray(0, used));
  return larger;
}
