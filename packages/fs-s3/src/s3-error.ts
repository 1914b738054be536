import { isMillraceError, MillraceError } from "@millrace/core";

type Known = readonly [code: string, what: string, hint: string | undefined];

const missing: Known = ["FILE_NOT_FOUND", "there is no such object", "check the path"];
const byName: Readonly<Record<string, Known>> = {
  NoSuchKey: missing,
  NotFound: missing,
  NoSuchBucket: ["FILE_NOT_FOUND", "there is no such bucket", "create the bucket; Millrace never does"],
  AccessDenied: ["FILE_ACCESS_DENIED", "access is denied", "check the policy of the user and the bucket"],
  InvalidAccessKeyId: ["FILE_ACCESS_DENIED", "the access key is unknown", "check AWS_ACCESS_KEY_ID, and AWS_ENDPOINT_URL_S3 if it is not Amazon's S3"],
  SignatureDoesNotMatch: ["FILE_ACCESS_DENIED", "the secret key is wrong", "check AWS_SECRET_ACCESS_KEY"],
  CredentialsProviderError: ["FILE_ACCESS_DENIED", "there are no credentials", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or use a profile or the role of the machine"],
};

/** What a failed request means, with the path in the message. Others than the documented codes are `S3_REQUEST_FAILED`, after which the job restarts. */
export function s3Error(cause: unknown, doing: string, path: string): MillraceError {
  if (isMillraceError(cause)) return cause;
  const known = byName[nameOf(cause)] ?? (statusOf(cause) === 403 ? byName["AccessDenied"] : statusOf(cause) === 404 ? missing : undefined);
  const what = known?.[1] ?? `${nameOf(cause)}${statusOf(cause) === undefined ? "" : ` (HTTP ${statusOf(cause)})`}: ${(cause as Error).message}`;
  return new MillraceError({
    code: known?.[0] ?? "S3_REQUEST_FAILED",
    message: `cannot ${doing} ${path}: ${what}`,
    ...(known?.[2] === undefined ? {} : { hint: known[2] }),
    recovery: known === undefined ? "restart" : "fail",
    location: { file: path },
    cause,
  });
}

/** Runs requests; what fails becomes what {@link s3Error} makes of it. */
export async function guarded<T>(doing: string, path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw s3Error(error, doing, path);
  }
}

/** The error for a write behind the end. */
export function closedError(path: string): MillraceError {
  return new MillraceError({ code: "FILE_CLOSED", message: `cannot write to ${path}: the writer is closed`, location: { file: path } });
}

export function nameOf(error: unknown): string {
  return (error as Error).name;
}

/** Of the answer; `undefined` when there was none. */
export function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/** True when the answer says that nothing is there. A missing bucket is not that. */
export function isMissingObject(error: unknown): boolean {
  return nameOf(error) !== "NoSuchBucket" && statusOf(error) === 404;
}
