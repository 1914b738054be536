import { MillraceError, type CommitRequest, type Committer } from "@millrace/core";

/** One committable as it is kept until it is committed, with the checkpoint that must be complete before. */
export interface PendingCommittable<C> {
  readonly checkpointId: number;
  readonly committable: C;
}

class Request<C> implements CommitRequest<C> {
  readonly committable: C;
  readonly numberOfRetries: number;
  retry = false;
  failure: { readonly error: unknown } | undefined;

  constructor(committable: C, numberOfRetries: number) {
    this.committable = committable;
    this.numberOfRetries = numberOfRetries;
  }
  retryLater(): void {
    this.retry = true;
  }
  signalAlreadyCommitted(): void {}
  signalFailedWithKnownReason(error: unknown): void {
    this.failure = { error };
  }
}

/** Waits between two tries of a commit. */
export type Pause = () => Promise<void>;

/**
 * Commits, trying again what asks for it.
 * @throws `SINK_COMMIT_FAILED` for a committable that failed for a known reason, or that was tried `maxRetries` times more in vain.
 */
export async function commitWithRetries<C>(committer: Committer<C>, committables: readonly C[], maxRetries: number, pause: Pause): Promise<void> {
  let requests = committables.map((committable) => new Request(committable, 0));
  for (;;) {
    const result = committer.commit(requests);
    if (result !== undefined) await result;
    const failed = requests.find((request) => request.failure !== undefined);
    if (failed !== undefined) throw commitFailed("a commit failed", failed.failure!.error);
    const again = requests.filter((request) => request.retry);
    if (again.length === 0) return;
    if (again[0]!.numberOfRetries >= maxRetries) throw commitFailed(`a commit did not succeed in ${maxRetries + 1} tries`, undefined);
    await pause();
    requests = again.map((request) => new Request(request.committable, request.numberOfRetries + 1));
  }
}

function commitFailed(message: string, cause: unknown): MillraceError {
  return new MillraceError({
    code: "SINK_COMMIT_FAILED",
    message,
    hint: "see sink.committer.retries, and the external system for why it refuses",
    recovery: "restart",
    ...(cause === undefined ? {} : { cause }),
  });
}
