import type { Api } from "./api.js";

export const SaslHandshake: Api<string, { readonly errorCode: number; readonly mechanisms: readonly string[] }> = {
  key: 17, name: "SaslHandshake", minVersion: 1, maxVersion: 1, flexible: false,
  encode(writer, mechanism) {
    writer.string(mechanism);
  },
  decode(reader) {
    return { errorCode: reader.int16(), mechanisms: reader.array(() => reader.string()) };
  },
};

export const SaslAuthenticate: Api<Uint8Array, { readonly errorCode: number; readonly message: string | null; readonly bytes: Buffer }> = {
  key: 36, name: "SaslAuthenticate", minVersion: 2, maxVersion: 2, flexible: true,
  encode(writer, bytes) {
    writer.compactBytes(bytes).tags();
  },
  decode(reader) {
    return { errorCode: reader.int16(), message: reader.compactNullableString(), bytes: reader.compactBytes() ?? Buffer.alloc(0) };
  },
};
