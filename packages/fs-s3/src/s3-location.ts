import { MillraceError } from "@millrace/core";

/** A bucket and a key in it; the key of the bucket itself is empty. */
export interface S3Location {
  readonly bucket: string;
  readonly key: string;
}

/** Takes `s3://bucket/key` apart (`s3a:` is the same). @throws `PATH_INVALID` */
export function parseLocation(path: string): S3Location {
  const [, bucket, key = ""] = /^s3a?:\/\/([^/]+)(?:\/(.*))?$/s.exec(path) ?? [];
  if (bucket === undefined) throw new MillraceError({ code: "PATH_INVALID", message: `"${path}" is not a path in S3`, hint: 'write "s3://bucket/path"', location: { file: path } });
  return { bucket, key: key.replace(/\/+$/, "") };
}

/** The key that all keys in a directory begin with. */
export function directoryPrefix(key: string): string {
  return key === "" ? "" : `${key}/`;
}
