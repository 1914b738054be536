import type { Type } from "avsc";
import type { BulkFormat, BulkReader, BulkSplit, RecordBlock, TypeInformation } from "@millrace/core";
import { resolverFor } from "../schema/avro-coding.js";
import type { Resolver } from "../schema/avro-coding.js";
import type { AvroDefinition } from "../schema/avro-definition.js";
import { typeInformationOf } from "../schema/avro-type-information.js";
import { avroType, parseDefinition } from "../schema/avro-types.js";
import type { AvroTypeOptions } from "../schema/avro-types.js";
import { decompressBlock } from "./container-codec.js";
import { corrupt, readHeader, SYNC_BYTES } from "./container-header.js";
import type { ContainerHeader } from "./container-header.js";
import { FileBytes } from "./file-bytes.js";

/** How container files are read. */
export interface AvroFormatOptions extends AvroTypeOptions {
  /** What records are: files with other schemas are read by Avro's rules of schema resolution. Without it, what each file says. */
  readonly schema?: AvroDefinition;
}

/** Avro never writes a block without records; a count beyond this is damage. */
const MAX_BLOCK_BYTES = 1 << 30;

/**
 * Avro object container files, compressed or not: for `FileSource.forBulkFileFormat`. Large files are split at their sync markers. Flink: AvroInputFormat.
 *
 * Errors: `FILE_CORRUPT` with the offset for files that are damaged or cut short, `SCHEMA_INCOMPATIBLE`, `FILE_COMPRESSION_UNSUPPORTED`.
 * @throws `FORMAT_SCHEMA_INVALID`
 */
export function avroFormat<T>(options: AvroFormatOptions = {}): BulkFormat<T> {
  const type = options.schema === undefined ? undefined : avroType(parseDefinition(options.schema), options);
  return {
    name: "Avro",
    splittable: true,
    ...(type === undefined ? {} : { producedType: typeInformationOf(type) as TypeInformation<T> }),
    async open(split) {
      const header = await readHeader(split.fs, split.path);
      const written = avroType(header.schema, options);
      const reading: Reading = { header, type: type ?? written, resolver: type === undefined ? undefined : resolverFor(type, written, `"${split.path}"`) };
      // The marker before a block says which split it belongs to; the header's own is the first.
      const from = split.resumeAt ?? Math.max(split.startByte, header.sizeBytes - SYNC_BYTES);
      return new ContainerReader<T>(await FileBytes.open(split.fs, split.path, from), split, reading);
    },
  };
}

interface Reading {
  readonly header: ContainerHeader;
  readonly type: Type;
  readonly resolver: Resolver | undefined;
}

/** Reads the blocks whose preceding marker begins in the split. */
class ContainerReader<T> implements BulkReader<T> {
  readonly #bytes: FileBytes;
  readonly #split: BulkSplit;
  readonly #reading: Reading;
  #aligned: boolean;

  constructor(bytes: FileBytes, split: BulkSplit, reading: Reading) {
    this.#bytes = bytes;
    this.#split = split;
    this.#reading = reading;
    this.#aligned = split.resumeAt !== undefined;
  }

  async next(): Promise<RecordBlock<T> | undefined> {
    if (!this.#aligned && !(await this.#align())) return undefined;
    const bytes = this.#bytes;
    const startByte = bytes.offset;
    if (startByte - SYNC_BYTES >= this.#split.endByte) return undefined;
    await bytes.fill(20);
    if (bytes.held.length === 0) return undefined;
    const { path, sizeBytes } = this.#split;
    const count = readLong(bytes.held, 0);
    const size = count === undefined ? undefined : readLong(bytes.held, count.end);
    if (count === undefined || size === undefined) throw corrupt(path, startByte, "the file ends within the head of a block");
    const { value: length, end: head } = size;
    if (count.value < 0 || length < 0 || length > MAX_BLOCK_BYTES) throw corrupt(path, startByte, `a block of ${count.value} records in ${length} bytes`);
    if (startByte + head + length + SYNC_BYTES > sizeBytes || !(await bytes.fill(head + length + SYNC_BYTES))) {
      throw corrupt(path, startByte, `the file ends within a block of ${length} bytes`);
    }
    const { held } = bytes;
    if (!this.#reading.header.sync.equals(held.subarray(head + length, head + length + SYNC_BYTES))) throw corrupt(path, startByte + head + length, "the block does not end in the file's sync marker");
    const records = this.#decode(held.subarray(head, head + length), count.value, startByte);
    bytes.drop(head + length + SYNC_BYTES);
    return { startByte, rowCount: records.length, records: (from, to) => records.slice(from, to) };
  }

  close(): Promise<void> {
    return this.#bytes.close();
  }

  #decode(data: Buffer, count: number, startByte: number): T[] {
    const { header, type, resolver } = this.#reading;
    const records: T[] = [];
    try {
      const content = decompressBlock(header.codec, data);
      let at = 0;
      for (let i = 0; i < count; i++) {
        const { value, offset } = type.decode(content, at, resolver);
        if (offset < 0) throw new Error(`record ${i + 1} of ${count} ends beyond the block`);
        records.push(value as T);
        at = offset;
      }
      if (at !== content.length) throw new Error(`${content.length - at} bytes are left over behind the last of ${count} records`);
      return records;
    } catch (cause) {
      throw corrupt(this.#split.path, startByte, `the block cannot be decoded: ${(cause as Error).message}`, cause);
    }
  }

  /** Goes behind the first marker of the split. */
  async #align(): Promise<boolean> {
    const bytes = this.#bytes;
    const { sync } = this.#reading.header;
    for (;;) {
      if (bytes.offset >= this.#split.endByte || !(await bytes.fill(SYNC_BYTES))) return false;
      const { held } = bytes;
      const at = held.indexOf(sync);
      if (at < 0) {
        bytes.drop(held.length - SYNC_BYTES + 1);
        continue;
      }
      if (bytes.offset + at >= this.#split.endByte) return false;
      bytes.drop(at + SYNC_BYTES);
      this.#aligned = true;
      return true;
    }
  }
}

/** A zig-zag varint; `undefined` when the bytes end before it does. Exact up to 2^53. */
function readLong(bytes: Buffer, from: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0n;
  for (let i = 0; i < 10; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) return undefined;
    value |= BigInt(byte & 127) << BigInt(7 * i);
    if (byte < 128) return { value: Number((value >> 1n) ^ -(value & 1n)), end: from + i + 1 };
  }
  return { value: -1, end: from + 10 };
}
