import { ByteReader } from "./byte-reader.js";
import { ByteWriter } from "./byte-writer.js";
import { corrupt } from "./codec-errors.js";
import { readValue } from "./value-reader.js";
import { writeValue } from "./value-writer.js";

const MAX_KEPT_BYTES = 1 << 20;
let idleWriter: ByteWriter | undefined = new ByteWriter(1024);

/**
 * Encodes one value exactly, in a self-describing tagged format: what {@link decodeValue} returns is equal in every way that plain data can differ.
 *
 * Carried: numbers (-0, NaN and infinities too), strings with lone surrogates, booleans, `null`, `undefined`, `bigint`, `Date` (invalid too),
 * `Map`, `Set`, `ArrayBuffer`, typed arrays (a Node `Buffer` comes back as `Uint8Array`), arrays with holes, plain objects (key order kept,
 * missing differs from `undefined`), objects without a prototype, and instances of classes given to {@link registerType}.
 * Not seen: symbol-keyed and non-enumerable properties, named properties of arrays, and that two places share one object.
 * Everything else, cycles included, is `RECORD_NOT_ENCODABLE` naming the place (`$.a[3].fn`).
 */
export function encodeValue(value: unknown): Uint8Array<ArrayBuffer> {
  // A registered type's encode may call back in here, so the writer is taken out while it is in use.
  const writer = idleWriter ?? new ByteWriter(256);
  idleWriter = undefined;
  writer.clear();
  try {
    writeValue(writer, value);
    return writer.finish();
  } finally {
    if (writer.bytes.length <= MAX_KEPT_BYTES) idleWriter = writer;
    else idleWriter ??= new ByteWriter(1024);
  }
}

/** Decodes what {@link encodeValue} returned. Bytes that are not exactly one encoded value are `CODEC_CORRUPT`. */
export function decodeValue(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  const value = readValue(reader);
  if (reader.remaining !== 0) throw corrupt("bytes are left over", reader.position);
  return value;
}
