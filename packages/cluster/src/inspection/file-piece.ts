import { constants } from "node:fs";
import { open } from "node:fs/promises";
import type { MillraceError } from "@millrace/core";
import type { LogPiece } from "./process-inspection.js";

const PIECE_BYTES = 256 * 1024;
/** Where systems have it: a link is not followed. */
const NO_LINKS = constants.O_NOFOLLOW ?? 0;

/** At most 256 KiB of a file; nothing at its end. @throws what `unknown` makes, when there is no such file, or it is none */
export async function readPiece(path: string, offset: number, unknown: () => MillraceError): Promise<LogPiece> {
  const file = await open(path, constants.O_RDONLY | NO_LINKS).catch(() => {
    throw unknown();
  });
  try {
    const status = await file.stat();
    if (!status.isFile()) throw unknown();
    const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.max(0, Math.min(PIECE_BYTES, status.size - offset))), 0, null, offset);
    return { bytes: new Uint8Array(buffer.buffer, buffer.byteOffset, bytesRead), file: `${status.dev}-${status.ino}` };
  } finally {
    await file.close();
  }
}
