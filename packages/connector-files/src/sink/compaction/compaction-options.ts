import { MillraceError } from "@millrace/core";
import type { BulkFormat } from "@millrace/core";

/** When the files that checkpoints close are made into larger ones, before anybody sees them. Flink: FileCompactStrategy. */
export interface CompactionOptions {
  /** The files of a bucket are merged after as many checkpoints: rows become visible as much later. Default 10. */
  readonly everyCheckpoints?: number;
  /** Or as soon as they have so many bytes together. Default 128 MiB. */
  readonly sizeThresholdBytes?: number;
}

/** The same for formats that are written as a whole: they must be read to be merged. */
export interface BulkCompactionOptions<T> extends CompactionOptions {
  /** Reads what the sink writes, exactly. */
  readonly format: BulkFormat<T>;
}

/** Those options, checked and with all defaults. */
export interface CompactionSettings {
  readonly everyCheckpoints: number;
  readonly sizeThresholdBytes: number;
}

/** @throws `OPTION_INVALID` */
export function compactionSettings(options: CompactionOptions): CompactionSettings {
  const { everyCheckpoints = 10, sizeThresholdBytes = 128 * 1024 * 1024 } = options;
  for (const [option, value] of Object.entries({ everyCheckpoints, sizeThresholdBytes })) {
    if (!(Number.isSafeInteger(value) && value > 0)) throw new MillraceError({ code: "OPTION_INVALID", message: `${option} of compaction is ${value}`, location: { option: "compaction" } });
  }
  return { everyCheckpoints, sizeThresholdBytes };
}
