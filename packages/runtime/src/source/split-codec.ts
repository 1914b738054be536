import type { SnapshotCodec } from "@millrace/core";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Splits and enumerator state of sources that declare no codec: JSON. */
export const jsonCodec: SnapshotCodec<any> = {
  encode: (value) => encoder.encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(decoder.decode(bytes)),
};
