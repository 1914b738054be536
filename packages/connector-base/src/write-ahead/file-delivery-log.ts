import { duration } from "@millrace/core";
import type { DurationLike, SinkWriterContext } from "@millrace/core";
import type { DeliveredBatch, DeliveryLog } from "./delivery-log.js";

/** Notes between two looks for old ones. */
const CLEAN_EVERY = 100;

/**
 * A {@link DeliveryLog} in a directory that all machines of the cluster see: an empty file per delivered batch. Those older than `retention` (default 7 days) are
 * deleted now and then; a checkpoint older than that delivers its batches again.
 *
 * ```ts
 * WriteAheadSink.of<Row>({ name: "orders", connect, log: fileDeliveryLog("/shared/delivered") })
 * ```
 * @throws `DURATION_INVALID`
 */
export function fileDeliveryLog(directory: string, retention: DurationLike = "7 d"): (context: SinkWriterContext) => DeliveryLog {
  const retentionMs = duration(retention);
  return (context) => new FileDeliveryLog(context, context.fs.resolve(directory), retentionMs);
}

class FileDeliveryLog implements DeliveryLog {
  readonly #context: SinkWriterContext;
  readonly #directory: string;
  readonly #retentionMs: number;
  #notes: number = 0;

  constructor(context: SinkWriterContext, directory: string, retentionMs: number) {
    this.#context = context;
    this.#directory = directory;
    this.#retentionMs = retentionMs;
  }

  async isDelivered({ id }: DeliveredBatch): Promise<boolean> {
    return (await this.#context.fs.status(this.#path(id))) !== undefined;
  }

  async delivered({ id }: DeliveredBatch): Promise<void> {
    if (this.#notes++ === 0) await this.#context.fs.mkdirs(this.#directory);
    await this.#context.fs.writeAtomic(this.#path(id), new Uint8Array());
    if (this.#notes % CLEAN_EVERY === 0) await this.#forget();
  }

  close(): void {}

  #path(id: string): string {
    return `${this.#directory}/${id}.delivered`;
  }

  async #forget(): Promise<void> {
    const before = this.#context.clock.nowMs() - this.#retentionMs;
    for (const { path, modifiedMs } of await this.#context.fs.list(this.#directory)) {
      if (path.endsWith(".delivered") && modifiedMs < before) await this.#context.fs.delete(path);
    }
  }
}
