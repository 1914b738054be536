/** UTF-8 conversion is pure and part of every JavaScript host, though not of the language. */
interface Host {
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  readonly TextDecoder: new (encoding: "utf-8") => Utf8Decoder;
}
export interface Utf8Decoder {
  decode(bytes?: Uint8Array, options?: { readonly stream?: boolean }): string;
}
const host = globalThis as unknown as Host;

export function newUtf8Decoder(): Utf8Decoder {
  return new host.TextDecoder("utf-8");
}
export function textToBytes(text: string): Uint8Array {
  return new host.TextEncoder().encode(text);
}
export function bytesToText(bytes: Uint8Array): string {
  return newUtf8Decoder().decode(bytes);
}
export function bytesToHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
export function hexToBytes(hex: string): Uint8Array {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}
