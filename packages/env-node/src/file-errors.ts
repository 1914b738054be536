import { MillraceError } from "@millrace/core";

const byErrno: Readonly<Record<string, readonly [code: string, what: string, hint: string]>> = {
  ENOENT: ["FILE_NOT_FOUND", "there is no such file or directory", "check the path"],
  ENOTDIR: ["FILE_NOT_FOUND", "a part of the path is not a directory", "check the path"],
  EACCES: ["FILE_ACCESS_DENIED", "access is denied", "check the permissions of the file and its directories"],
  EPERM: ["FILE_ACCESS_DENIED", "the operation is not permitted", "check the permissions of the file and its directories"],
  EROFS: ["FILE_ACCESS_DENIED", "the file system is read-only", "use a directory on a writable file system"],
  ENOSPC: ["DISK_FULL", "the disk is full", "free some space or use another disk"],
  EDQUOT: ["DISK_FULL", "the disk quota is used up", "free some space or use another disk"],
  EISDIR: ["FILE_IS_DIRECTORY", "it is a directory", "give the path of a file"],
};

/** What a failed call of the operating system means, with the path in the message. Others than the documented codes are `FILE_IO_FAILED`. */
export function fileError(cause: unknown, doing: string, path: string): MillraceError {
  const errno = (cause as NodeJS.ErrnoException).code ?? "";
  const known = byErrno[errno];
  const code = known?.[0] ?? "FILE_IO_FAILED";
  return new MillraceError({
    code,
    message: `cannot ${doing} ${path}: ${known?.[1] ?? (cause as Error).message}`,
    ...(known === undefined ? {} : { hint: known[2] }),
    recovery: code === "DISK_FULL" || code === "FILE_IO_FAILED" ? "restart" : "fail",
    location: { file: path },
    cause,
  });
}

/** True when the error says that nothing is at the path. */
export function isMissing(cause: unknown): boolean {
  const errno = (cause as NodeJS.ErrnoException).code;
  return errno === "ENOENT" || errno === "ENOTDIR";
}
