import { MillraceError, Types } from "@millrace/core";
import type { DecodedBlock, RecordFormat } from "./record-format.js";

/** How raw bytes are cut into records. */
export interface RawFormatOptions {
  /** Each record has as many bytes; a file that does not end with a whole one has a malformed record. Default: a file is one record. */
  readonly recordBytes?: number;
}

/**
 * Bytes as they are: a file is one record (at most `maxRecordBytes`), or is cut into records of one length. Flink: the raw format.
 * @throws `OPTION_INVALID`
 */
export function rawFormat(options: RawFormatOptions = {}): RecordFormat<Uint8Array> {
  const { recordBytes } = options;
  if (recordBytes !== undefined && !(Number.isSafeInteger(recordBytes) && recordBytes > 0)) {
    throw new MillraceError({ code: "OPTION_INVALID", message: `recordBytes is ${recordBytes}`, location: { option: "recordBytes" } });
  }
  return { name: "raw bytes", splittable: false, producedType: Types.bytes, createDecoder: () => ({ decode: (bytes, final, block) => decode(bytes, final, block, recordBytes) }) };
}

function decode(bytes: Uint8Array, final: boolean, block: DecodedBlock<Uint8Array>, recordBytes: number | undefined): number {
  if (recordBytes === undefined) {
    if (!final) return 0;
    block.values.push(bytes.slice());
    return bytes.length;
  }
  let at = 0;
  for (; at + recordBytes <= bytes.length; at += recordBytes) block.values.push(bytes.slice(at, at + recordBytes));
  if (!final || at === bytes.length) return at;
  block.malformed.push({ at: block.values.length, line: 0, column: 0, text: Buffer.from(bytes.subarray(at)).toString("hex"), message: `the last ${bytes.length - at} bytes are no whole record of ${recordBytes}` });
  return bytes.length;
}
