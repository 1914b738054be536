import { MillraceError } from "../errors/millrace-error.js";

/** `CODEC_CORRUPT`: the bytes are not what an encoder wrote. */
export function corrupt(what: string, atByte?: number): MillraceError {
  return new MillraceError({
    code: "CODEC_CORRUPT",
    message: `encoded data is corrupt${atByte === undefined ? "" : ` at byte ${atByte}`}: ${what}`,
    hint: "the bytes were damaged or cut off, or they were written by another version or for another purpose",
  });
}

/** `RECORD_NOT_ENCODABLE` for the value at `path` (`$.a[3].fn`). */
export function notEncodable(path: string, what: string, hint: string): MillraceError {
  return new MillraceError({ code: "RECORD_NOT_ENCODABLE", message: `${path} is ${what}, which cannot leave its task or be kept in state`, hint });
}
