/** The text coders every JavaScript host has; declared here because the language library alone does not know them. */
interface HostTextEncoder {
  encode(text: string): Uint8Array;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}
interface HostTextDecoder {
  decode(bytes: Uint8Array): string;
}
declare const TextEncoder: new () => HostTextEncoder;
declare const TextDecoder: new (label: string, options: { fatal?: boolean; ignoreBOM?: boolean }) => HostTextDecoder;
/** Node's; other hosts may do without. */
declare const Buffer: { readonly prototype: Readonly<Record<"latin1Slice" | "utf8Slice", ((this: Uint8Array, from: number, to: number) => string) | undefined>> } | undefined;

const latin1Slice = typeof Buffer === "undefined" ? undefined : Buffer.prototype.latin1Slice;
const utf8Slice = typeof Buffer === "undefined" ? undefined : Buffer.prototype.utf8Slice;
const encoder = new TextEncoder();
// A byte order mark is a character like any other here. Not `fatal`: that is several times slower, and what was encoded is well formed.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/**
 * Writes `text` as UTF-8 as far as it fits; three bytes per UTF-16 unit always do. Lone surrogates are lost.
 * @returns how many units were read and how many bytes written
 */
export function utf8EncodeInto(text: string, destination: Uint8Array): { readonly read: number; readonly written: number } {
  return encoder.encodeInto(text, destination);
}

/** Decodes UTF-8; malformed bytes become U+FFFD. The result is a flat string. */
export function utf8Decode(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** Decodes `bytes[from, to)`; malformed bytes become U+FFFD. Where the host has `Buffer`, in a third of the time for short texts. */
export const utf8DecodeRange: (bytes: Uint8Array, from: number, to: number) => string =
  utf8Slice === undefined ? (bytes, from, to) => utf8.decode(bytes.subarray(from, to)) : (bytes, from, to) => utf8Slice.call(bytes, from, to);

/** Lone surrogates are lost. */
export function utf8Encode(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Decodes what is known to be ASCII; where the host has `Buffer`, in half the time. The result is a flat string. */
export const asciiDecode: (bytes: Uint8Array) => string = latin1Slice === undefined ? utf8Decode : (bytes) => latin1Slice.call(bytes, 0, bytes.length);

/** True when `text` has no lone surrogates, so that UTF-8 carries it exactly. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

const CHUNK = 4096;

/** A string from Latin-1 bytes or UTF-16 units, exact for every input. */
export function stringFromUnits(units: Uint8Array | Uint16Array, from: number, to: number): string {
  let text = "";
  for (let i = from; i < to; i += CHUNK) {
    text += String.fromCharCode.apply(null, units.subarray(i, Math.min(i + CHUNK, to)) as unknown as number[]);
  }
  return text;
}
