import type { BulkFormat, BulkReader, FileSystem, ReaderOutput, RecordBlock } from "@millrace/core";
import type { FileSourceSplit } from "./file-source-split.js";
import type { SplitPoller } from "./split-poller.js";

/** Rows per call: the size of the engine's batches. */
const BATCH_ROWS = 1024;

/**
 * Reads one split of a format of blocks: while one block is emitted, the next is fetched.
 *
 * The position is (start of the current block, rows of it that are done), whether or not a filter let them through.
 */
export class BulkSplitReader<T> implements SplitPoller<T> {
  readonly split: FileSourceSplit;
  readonly #fs: FileSystem;
  readonly #format: BulkFormat<T>;
  readonly #wake: () => void;
  #opening: Promise<void> | undefined;
  #reader: BulkReader<T> | undefined;
  #fetching: Promise<void> | undefined;
  #fetched: RecordBlock<T> | undefined;
  #block: RecordBlock<T> | undefined;
  #row: number = 0;
  #position: FileSourceSplit["position"];
  #ended: boolean = false;
  #failure: { readonly error: unknown } | undefined;
  #closed: boolean = false;

  constructor(split: FileSourceSplit, fs: FileSystem, format: BulkFormat<T>, wake: () => void) {
    this.split = split;
    this.#fs = fs;
    this.#format = format;
    this.#wake = wake;
    this.#position = split.position;
  }

  open(): void {
    this.#opening ??= this.#open().catch((error: unknown) => this.#fail(error));
  }

  get fetched(): boolean {
    return this.#ended;
  }

  poll(output: ReaderOutput<T>): "emitted" | "wait" | "end" {
    this.open();
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      this.#block ??= this.#takeFetched();
      const block = this.#block;
      if (block === undefined) return this.#ended ? "end" : "wait";
      const to = Math.min(block.rowCount, this.#row + BATCH_ROWS);
      const records = this.#row < to ? block.records(this.#row, to) : [];
      this.#row = to;
      this.#position = { byteOffset: block.startByte, recordsToSkip: to };
      if (to >= block.rowCount) this.#block = undefined;
      if (records.length === 0) continue;
      output.collectBatch(records, null);
      return "emitted";
    }
  }

  snapshot(): FileSourceSplit {
    return this.#position === undefined ? this.split : { ...this.split, position: this.#position };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opening;
    await this.#fetching;
    await this.#reader?.close();
  }

  async #open(): Promise<void> {
    const { path, startByte, endByte, position } = this.split;
    const status = await this.#fs.status(path);
    const sizeBytes = status?.sizeBytes ?? endByte;
    this.#reader = await this.#format.open({ fs: this.#fs, path, sizeBytes, modifiedMs: status?.modifiedMs, startByte, endByte, resumeAt: position?.byteOffset });
    this.#fetch();
  }

  #takeFetched(): RecordBlock<T> | undefined {
    const block = this.#fetched;
    if (block === undefined) return undefined;
    this.#fetched = undefined;
    // Only the block a snapshot was taken in has rows that are done.
    this.#row = this.#position === this.split.position && block.startByte === this.#position?.byteOffset ? this.#position.recordsToSkip : 0;
    this.#fetch();
    return block;
  }

  #fetch(): void {
    if (this.#ended || this.#closed) return;
    this.#fetching = this.#reader!.next().then(
      (block) => {
        this.#fetched = block;
        this.#ended = block === undefined;
        this.#wake();
      },
      (error: unknown) => this.#fail(error),
    );
  }

  #fail(error: unknown): void {
    this.#failure = { error };
    this.#wake();
  }
}
