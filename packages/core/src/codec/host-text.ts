/** The text coders every JavaScript host has; declared here because the language library alone does not know them. */
interface HostTextEncoder {
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}
interface HostTextDecoder {
  decode(bytes: Uint8Array): string;
}
declare const TextEncoder: new () => HostTextEncoder;
declare const TextDecoder: new (label: string, options: { fatal?: boolean; ignoreBOM?: boolean }) => HostTextDecoder;

const encoder = new TextEncoder();
// A byte order mark is a character like any other here. Not `fatal`: that is several times slower, and what was encoded is well formed.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

/** Writes `text` as UTF-8 and returns the number of bytes; `destination` must hold three bytes per UTF-16 unit. Lone surrogates are lost. */
export function utf8EncodeInto(text: string, destination: Uint8Array): number {
  return encoder.encodeInto(text, destination).written;
}

/** Decodes UTF-8; malformed bytes become U+FFFD. The result is a flat string. */
export function utf8Decode(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

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
