import { MillraceError } from "@millrace/core";

/** `FILE_CORRUPT`: what a compressed file holds is none of its format. */
export function fileCorrupt(path: string, why: string, cause: unknown): MillraceError {
  return new MillraceError({
    code: "FILE_CORRUPT", message: `"${path}" cannot be decompressed: ${why}`, hint: "the file is damaged, incomplete, or not what its suffix says", location: { file: path }, cause,
  });
}
