import type { SnapshotCodec } from "@millrace/core";

/** The text coders every JavaScript host has; declared here because the language library alone does not know them. */
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new () => { decode(bytes: Uint8Array): string };

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Splits, enumerator state and committables of connectors that declare no codec: JSON. */
export const jsonCodec: SnapshotCodec<any> = {
  encode: (value) => encoder.encode(JSON.stringify(value)),
  decode: (bytes) => JSON.parse(decoder.decode(bytes)),
};
