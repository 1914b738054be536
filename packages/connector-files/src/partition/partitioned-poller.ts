import type { ReaderOutput } from "@millrace/core";
import type { FileSourceSplit } from "../source/file-source-split.js";
import type { SplitPoller } from "../source/split-poller.js";
import { partitionMissing, partitionOf } from "./hive-partition.js";
import type { PartitionKeys } from "./hive-partition.js";

/** Adds the values of a file's partition to its records. */
export class PartitionedPoller<T> implements SplitPoller<T> {
  readonly #inner: SplitPoller<T>;
  readonly #keys: PartitionKeys;
  #values: Readonly<Record<string, unknown>> | undefined;

  constructor(inner: SplitPoller<T>, keys: PartitionKeys) {
    this.#inner = inner;
    this.#keys = keys;
  }

  get split(): FileSourceSplit {
    return this.#inner.split;
  }

  get fetched(): boolean {
    return this.#inner.fetched;
  }

  open(): void {
    this.#inner.open();
  }

  /** @throws `PARTITION_INVALID` for a file that is in no such partition */
  poll(output: ReaderOutput<T>): "emitted" | "wait" | "end" {
    const values = (this.#values ??= this.#partition());
    const add = (record: T): T => ({ ...record, ...values });
    return this.#inner.poll({
      collect: (record, timestampMs) => output.collect(add(record), timestampMs),
      collectBatch: (records, timestampsMs) => output.collectBatch(records.map(add), timestampsMs),
      collectGenerated: (generate, first, count) => output.collectGenerated((index) => add(generate(index)), first, count),
      sideOutput: (tagId, value, timestampMs) => output.sideOutput(tagId, value, timestampMs),
      forSplit: (splitId) => output.forSplit(splitId),
      releaseSplit: (splitId) => output.releaseSplit(splitId),
      full: output.full,
    });
  }

  #partition(): Readonly<Record<string, unknown>> {
    const { path } = this.#inner.split;
    const values = partitionOf(path, this.#keys);
    if (values === undefined) throw partitionMissing(path, this.#keys);
    return values;
  }

  snapshot(): FileSourceSplit {
    return this.#inner.snapshot();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}
