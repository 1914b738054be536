/** What is remembered of a batch. */
export type DeliveredBatch = { readonly id: string; readonly createdMs: number };

/**
 * Remembers which batches of a {@link WriteAheadSink} were delivered. Lives outside of the job: what one process noted, the next one must find. Calls come from the
 * task's thread, one at a time. A batch may be asked for as long as a checkpoint or savepoint that holds it may be restored; forgotten ones are delivered again.
 * Flink: CheckpointCommitter.
 */
export interface DeliveryLog {
  isDelivered(batch: DeliveredBatch): boolean | Promise<boolean>;
  /** Called after the batch was delivered. Noting the same one again is fine. */
  delivered(batch: DeliveredBatch): void | Promise<void>;
  close(): void | Promise<void>;
}
