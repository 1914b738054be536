import { isMillraceError } from "@millrace/core";
import type { CommitRequest, Committer } from "@millrace/core";
import type { DeliveryLog } from "./delivery-log.js";
import { batchOf } from "./kept-batch.js";
import type { KeptBatch } from "./kept-batch.js";
import type { WriteAheadTarget } from "./write-ahead-sink.js";

/** Delivers the batches of complete checkpoints, in order, unless the log has them. */
export class WriteAheadCommitter<T> implements Committer<KeptBatch<T>> {
  readonly #target: WriteAheadTarget<T>;
  readonly #log: DeliveryLog | undefined;

  constructor(target: WriteAheadTarget<T>, log: DeliveryLog | undefined) {
    this.#target = target;
    this.#log = log;
  }

  async commit(requests: readonly CommitRequest<KeptBatch<T>>[]): Promise<void> {
    for (const [at, request] of requests.entries()) {
      try {
        await this.#deliver(request);
      } catch (error) {
        if (!isMillraceError(error) || error.recovery !== "retry") return request.signalFailedWithKnownReason(error);
        // What follows must not overtake it.
        for (const later of requests.slice(at)) later.retryLater();
        return;
      }
    }
  }

  async close(): Promise<void> {
    try {
      await this.#target.close();
    } finally {
      await this.#log?.close();
    }
  }

  async #deliver(request: CommitRequest<KeptBatch<T>>): Promise<void> {
    const { committable: batch } = request;
    if (this.#log !== undefined && (await this.#log.isDelivered(batch))) {
      request.signalAlreadyCommitted();
      return;
    }
    await this.#target.deliver(batchOf(batch));
    await this.#log?.delivered(batch);
  }
}
