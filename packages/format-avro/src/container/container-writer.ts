import { randomBytes } from "node:crypto";
import type { Type } from "avsc";
import { MillraceError } from "@millrace/core";
import type { BulkWriter, BulkWriterFactory } from "@millrace/core";
import { encodeAvro } from "../schema/avro-coding.js";
import type { AvroDefinition } from "../schema/avro-definition.js";
import { avroType, parseDefinition } from "../schema/avro-types.js";
import type { AvroTypeOptions } from "../schema/avro-types.js";
import { AVRO_CODECS, compressBlock } from "./container-codec.js";
import type { AvroCodec } from "./container-codec.js";
import { encodeHeader, SYNC_BYTES } from "./container-header.js";

/** How container files are written. */
export interface AvroWriterOptions extends AvroTypeOptions {
  /** Default `"null"`, as Avro's own tools have it. */
  readonly codec?: AvroCodec;
  /** Content of a block before compression. Default 64 KiB; larger ones compress better. */
  readonly blockSizeBytes?: number;
  /** Entries of the file's metadata; names must not begin with `avro.`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes Avro object container files: for `FileSink.forBulkFormat`. Flink: AvroWriters.
 * @throws `FORMAT_SCHEMA_INVALID`, `OPTION_INVALID`
 */
export function avroWriter<T>(schema: AvroDefinition, options: AvroWriterOptions = {}): BulkWriterFactory<T> {
  const definition = parseDefinition(schema);
  const type = avroType(definition, options);
  const { codec = "null", blockSizeBytes = 64 * 1024, metadata = {} } = options;
  if (!AVRO_CODECS.includes(codec)) throw invalid("codec", `"${String(codec)}" is none of ${AVRO_CODECS.join(", ")}`);
  if (!(Number.isSafeInteger(blockSizeBytes) && blockSizeBytes > 0)) throw invalid("blockSizeBytes", `blockSizeBytes is ${blockSizeBytes}`);
  const reserved = Object.keys(metadata).find((key) => key.startsWith("avro."));
  if (reserved !== undefined) throw invalid("metadata", `"${reserved}" is reserved`);
  return { name: "Avro", suffix: ".avro", createWriter: () => new ContainerWriter<T>(type, codec, blockSizeBytes, (sync) => encodeHeader(definition, codec, sync, metadata)) };
}

class ContainerWriter<T> implements BulkWriter<T> {
  readonly #type: Type;
  readonly #codec: AvroCodec;
  readonly #blockSizeBytes: number;
  readonly #sync: Buffer = randomBytes(SYNC_BYTES);
  #encoded: Buffer[];
  #encodedBytes: number = 0;
  #block: Buffer[] = [];
  #blockBytes: number = 0;

  constructor(type: Type, codec: AvroCodec, blockSizeBytes: number, header: (sync: Buffer) => Buffer) {
    this.#type = type;
    this.#codec = codec;
    this.#blockSizeBytes = blockSizeBytes;
    this.#encoded = [header(this.#sync)];
    this.#encodedBytes = this.#encoded[0]!.length;
  }

  addElement(value: T): void {
    const bytes = encodeAvro(this.#type, value);
    this.#block.push(bytes);
    this.#blockBytes += bytes.length;
    if (this.#blockBytes >= this.#blockSizeBytes) this.#endBlock();
  }

  get encodedBytes(): number {
    return this.#encodedBytes;
  }

  get bufferedBytes(): number {
    return this.#encodedBytes + this.#blockBytes;
  }

  takeBytes(): Uint8Array {
    const bytes = Buffer.concat(this.#encoded);
    this.#encoded = [];
    this.#encodedBytes = 0;
    return bytes;
  }

  finish(): Uint8Array {
    if (this.#block.length > 0) this.#endBlock();
    return this.takeBytes();
  }

  #endBlock(): void {
    const data = compressBlock(this.#codec, Buffer.concat(this.#block, this.#blockBytes));
    const block = [long(this.#block.length), long(data.length), data, this.#sync];
    this.#encoded.push(...block);
    for (const { length } of block) this.#encodedBytes += length;
    this.#block = [];
    this.#blockBytes = 0;
  }
}

/** A zig-zag varint of a count. */
function long(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value) * 2n;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function invalid(option: string, message: string): MillraceError {
  return new MillraceError({ code: "OPTION_INVALID", message, location: { option } });
}
