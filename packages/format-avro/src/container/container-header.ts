import avsc from "avsc";
import type { FileSystem } from "@millrace/core";
import { MillraceError } from "@millrace/core";
import type { AvroDefinition } from "../schema/avro-definition.js";
import { parseDefinition } from "../schema/avro-types.js";
import { AVRO_CODECS } from "./container-codec.js";
import type { AvroCodec } from "./container-codec.js";
import { FileBytes } from "./file-bytes.js";

/** What the start of a container file says. */
export interface ContainerHeader {
  readonly schema: AvroDefinition;
  readonly codec: AvroCodec;
  readonly sync: Buffer;
  /** Where the header ends, the 16 bytes of the marker included. */
  readonly sizeBytes: number;
}

export const SYNC_BYTES = 16;
const MAGIC = Buffer.from("Obj\x01", "latin1");
const FIRST_READ_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 64 * 1024 * 1024;

const HEADER = avsc.Type.forSchema({
  type: "record", name: "org.apache.avro.file.Header",
  fields: [
    { name: "magic", type: { type: "fixed", name: "Magic", size: 4 } },
    { name: "meta", type: { type: "map", values: "bytes" } },
    { name: "sync", type: { type: "fixed", name: "Sync", size: SYNC_BYTES } },
  ],
});

export function encodeHeader(schema: AvroDefinition, codec: AvroCodec, sync: Buffer, metadata: Readonly<Record<string, string>>): Buffer {
  const meta = { ...metadata, "avro.codec": codec, "avro.schema": JSON.stringify(schema) };
  return HEADER.toBuffer({ magic: MAGIC, meta: Object.fromEntries(Object.entries(meta).map(([key, value]) => [key, Buffer.from(value)])), sync });
}

/** @throws `FILE_CORRUPT`, `FILE_COMPRESSION_UNSUPPORTED`, `FORMAT_SCHEMA_INVALID` */
export async function readHeader(fs: FileSystem, path: string): Promise<ContainerHeader> {
  const bytes = await FileBytes.open(fs, path, 0);
  try {
    for (let wanted = FIRST_READ_BYTES; ; wanted *= 4) {
      const isLonger = await bytes.fill(wanted);
      const { held } = bytes;
      if (!MAGIC.equals(held.subarray(0, MAGIC.length))) throw corrupt(path, 0, "it does not begin with the bytes of an Avro container file");
      const decoded = decode(held, path);
      if (decoded !== undefined) return decoded;
      if (!isLonger || wanted >= MAX_HEADER_BYTES) throw corrupt(path, held.length, "it ends within its header");
    }
  } finally {
    await bytes.close();
  }
}

function decode(held: Buffer, path: string): ContainerHeader | undefined {
  let result;
  try {
    result = HEADER.decode(held, 0);
  } catch (cause) {
    throw corrupt(path, 0, `its header cannot be read: ${(cause as Error).message}`, cause);
  }
  if (result.offset < 0) return undefined;
  const { meta, sync } = result.value as { meta: Record<string, Buffer | undefined>; sync: Buffer };
  const codec = meta["avro.codec"]?.toString() ?? "null";
  if (!(AVRO_CODECS as readonly string[]).includes(codec)) {
    throw new MillraceError({
      code: "FILE_COMPRESSION_UNSUPPORTED", message: `"${path}" is compressed with "${codec}", which cannot be read here`, hint: `these can: ${AVRO_CODECS.join(", ")}`, location: { file: path },
    });
  }
  const schema = meta["avro.schema"];
  if (schema === undefined) throw corrupt(path, 0, "its header holds no schema");
  return { schema: parseDefinition(schema.toString()), codec: codec as AvroCodec, sync: Buffer.from(sync), sizeBytes: result.offset };
}

/** The error for what is no (whole) container file. */
export function corrupt(path: string, offset: number, why: string, cause?: unknown): MillraceError {
  return new MillraceError({
    code: "FILE_CORRUPT", message: `"${path}" cannot be read at byte ${offset}: ${why}`, hint: "the file is damaged, incomplete, or no Avro container file", location: { file: path }, cause,
  });
}
