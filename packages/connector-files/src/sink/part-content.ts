import type { BulkWriter, BulkWriterFactory } from "@millrace/core";
import type { PartCompression } from "./part-compression.js";
import type { RowEncoder } from "./row-encoder.js";

/** What a sink's part files hold: rows one after the other, or a format that is written as a whole. */
export interface PartFormat<T> {
  readonly name: string;
  /** A part cannot go on after a checkpoint: every checkpoint closes it. */
  readonly isBulk: boolean;
  /** Content that is worth a write. */
  readonly flushBytes: number;
  /** `isResumed`: the file has a beginning already. */
  createContent(isResumed: boolean): PartContent<T>;
}

/** The content of one part file on its way to the disk. */
export interface PartContent<T> {
  append(value: T): void;
  /** What {@link take} would give, about. */
  readonly readyBytes: number;
  readonly bufferedBytes: number;
  /** What is ready: the caller's, to be written after what was taken before. */
  take(): Uint8Array;
  /** What is left when no more is appended. */
  end(): Uint8Array;
  /** Taken bytes as they are stored. */
  store(bytes: Uint8Array): Promise<Uint8Array>;
}

const FLUSH_BYTES = 128 * 1024;
/** Larger, since every flush is compressed by itself. */
const COMPRESSED_FLUSH_BYTES = 1024 * 1024;

/** Rows as text, plain or compressed. */
export function rowFormat<T>(encoder: RowEncoder<T>, compression: PartCompression | undefined): PartFormat<T> {
  return {
    name: encoder.name, isBulk: false, flushBytes: compression === undefined ? FLUSH_BYTES : COMPRESSED_FLUSH_BYTES,
    createContent: (isResumed) => new RowContent(encoder, compression, isResumed),
  };
}

/** A format that is written as a whole. */
export function bulkFormat<T>(factory: BulkWriterFactory<T>): PartFormat<T> {
  return { name: factory.name, isBulk: true, flushBytes: FLUSH_BYTES, createContent: () => new BulkContent(factory.createWriter()) };
}

class RowContent<T> implements PartContent<T> {
  readonly #encoder: RowEncoder<T>;
  readonly #compression: PartCompression | undefined;
  #buffer: string;

  constructor(encoder: RowEncoder<T>, compression: PartCompression | undefined, isResumed: boolean) {
    this.#encoder = encoder;
    this.#compression = compression;
    this.#buffer = isResumed ? "" : (encoder.header ?? "");
  }

  append(value: T): void {
    this.#buffer += this.#encoder.encode(value);
  }

  get readyBytes(): number {
    return this.#buffer.length;
  }

  get bufferedBytes(): number {
    return this.#buffer.length;
  }

  take(): Uint8Array {
    const bytes = Buffer.from(this.#buffer, "utf8");
    this.#buffer = "";
    return bytes;
  }

  end(): Uint8Array {
    return this.take();
  }

  async store(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#compression === undefined ? bytes : await this.#compression.compress(bytes);
  }
}

class BulkContent<T> implements PartContent<T> {
  readonly #writer: BulkWriter<T>;

  constructor(writer: BulkWriter<T>) {
    this.#writer = writer;
  }

  append(value: T): void {
    this.#writer.addElement(value);
  }

  get readyBytes(): number {
    return this.#writer.encodedBytes;
  }

  get bufferedBytes(): number {
    return this.#writer.bufferedBytes;
  }

  take(): Uint8Array {
    return this.#writer.takeBytes();
  }

  end(): Uint8Array {
    return this.#writer.finish();
  }

  async store(bytes: Uint8Array): Promise<Uint8Array> {
    return bytes;
  }
}
