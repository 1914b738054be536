import type { Cancellable, CommittingSinkWriter, SinkWriteContext, SinkWriterContext, StagedFiles, StatefulSinkWriter } from "@millrace/core";
import { joinPath } from "../path/resolve-path.js";
import { checkBucketId } from "./bucket-assigner.js";
import type { FileSinkCommittable, FileSinkWriterState } from "./file-sink-state.js";
import type { FileSinkSettings } from "./file-sink.js";
import { PartFile } from "./part-file.js";
import { inProgressPath, PartNames } from "./part-names.js";
import { copyPart, resumePart } from "./resume-part.js";

const FLUSH_CHARS = 128 * 1024;
/** Larger, since every flush is a gzip member of its own. */
const GZIP_FLUSH_CHARS = 1024 * 1024;
const MAX_OUTSTANDING_BYTES = 8 * 1024 * 1024;

/**
 * Writes the records of one subtask into one part file per bucket.
 *
 * `write` only buffers; all work on files runs in one queue, in order, so that rows reach their files in the order they came whether or not the caller waits.
 * It waits (by the promise of `write`) when much is outstanding. A part is always in exactly one place: `#parts`, or, once closed, `#pending`.
 */
export class FileSinkWriter<T> implements StatefulSinkWriter<T, FileSinkWriterState>, CommittingSinkWriter<T, FileSinkCommittable> {
  readonly #context: SinkWriterContext;
  readonly #settings: FileSinkSettings<T>;
  readonly #names: PartNames;
  /** On a store of whole objects; a part does not outlive a checkpoint there. */
  readonly #stagedFiles: StagedFiles | undefined;
  readonly #parts = new Map<string, PartFile>();
  readonly #closing = new Set<PartFile>();
  readonly #flushChars: number;
  #pending: FileSinkCommittable[] = [];
  #queue: Promise<void> = Promise.resolve();
  #outstandingBytes: number = 0;
  #failure: { readonly error: unknown } | undefined;
  #endOfInput: boolean = false;
  #timer: Cancellable | undefined;

  private constructor(context: SinkWriterContext, settings: FileSinkSettings<T>, stagedFiles: StagedFiles | undefined) {
    this.#context = context;
    this.#stagedFiles = stagedFiles;
    this.#settings = settings;
    this.#names = new PartNames(context);
    this.#flushChars = settings.compressed ? GZIP_FLUSH_CHARS : FLUSH_CHARS;
  }

  /** Opens a writer, with the states of the checkpoint that came to this subtask (of as many former writers as it may be). */
  static async open<T>(context: SinkWriterContext, settings: FileSinkSettings<T>, states: readonly FileSinkWriterState[]): Promise<FileSinkWriter<T>> {
    const writer = new FileSinkWriter(context, settings, await context.fs.stagedFiles?.(settings.directory));
    try {
      await context.fs.mkdirs(settings.directory);
      await writer.#restore(states);
      writer.#schedule();
      return writer;
    } catch (error) {
      await writer.close();
      throw error;
    }
  }

  write(value: T, context: SinkWriteContext): void | Promise<void> {
    if (this.#failure !== undefined) throw this.#failure.error;
    const { bucketAssigner, encoder, rollingPolicy } = this.#settings;
    const nowMs = this.#context.clock.nowMs();
    const bucketId = bucketAssigner(value, { currentProcessingTimeMs: nowMs, timestampMs: context.timestamp, currentWatermark: context.currentWatermark });
    const row = encoder.encode(value);
    let part = this.#parts.get(bucketId);
    if (part !== undefined && rollingPolicy.shouldRollOnEvent(part)) {
      this.#roll(part);
      part = undefined;
    }
    part ??= this.#begin(bucketId, nowMs);
    part.append(row);
    part.lastUpdateMs = nowMs;
    if (part.bufferedChars >= this.#flushChars) this.#drain(part);
    return this.#outstandingBytes > MAX_OUTSTANDING_BYTES ? this.#queue : undefined;
  }

  async flush(endOfInput: boolean): Promise<void> {
    this.#endOfInput ||= endOfInput;
    for (const part of this.#parts.values()) this.#drain(part);
    await this.#queue;
  }

  async prepareCommit(): Promise<readonly FileSinkCommittable[]> {
    for (const part of this.#parts.values()) {
      if (this.#stagedFiles !== undefined || this.#endOfInput || this.#settings.rollingPolicy.shouldRollOnCheckpoint(part)) this.#roll(part);
    }
    await this.#queue;
    const ready = this.#pending;
    this.#pending = [];
    return ready;
  }

  async snapshotState(): Promise<readonly FileSinkWriterState[]> {
    await this.flush(false);
    const inProgress = await Promise.all([...this.#parts.values()].map((part) => part.sync()));
    return [{ jobId: this.#context.jobId, uid: this.#names.uid, subtask: this.#context.subtaskIndex, nextPart: this.#names.nextPart, inProgress }];
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#queue.catch(() => undefined);
    const open = [...this.#parts.values(), ...this.#closing];
    this.#parts.clear();
    this.#closing.clear();
    await Promise.allSettled(open.map((part) => part.abandon()));
  }

  async #restore(states: readonly FileSinkWriterState[]): Promise<void> {
    const { fs, jobId } = this.#context;
    const { directory, compressed, prefix, suffix } = this.#settings;
    // Of another job (a savepoint started anew, or twice) nothing may be touched: it could still be running.
    const own = states.filter((state) => state.jobId === jobId);
    const deleted = await this.#names.deleteLeftovers(fs, this.#stagedFiles, directory, own);
    if (deleted > 0) this.#context.log("info", `deleted ${deleted} unfinished part files that failed attempts left in ${directory}`);
    for (const state of states) {
      for (const old of state.inProgress) {
        let part = old;
        let writer;
        if (state.jobId === jobId) writer = await resumePart(fs, old);
        else {
          const name = this.#names.make(prefix);
          part = { ...old, inProgressPath: inProgressPath(directory, name), finalPath: this.#finalPath(old.bucketId, name + suffix) };
          writer = await copyPart(fs, old, part.inProgressPath);
        }
        const restored = new PartFile(fs, compressed, part, { writer });
        // After a rescale two former writers' parts of one bucket may meet: the second is as good as finished.
        if (this.#parts.has(part.bucketId)) this.#finish(restored);
        else this.#parts.set(part.bucketId, restored);
      }
    }
    await this.#queue;
  }

  #begin(bucketId: string, nowMs: number): PartFile {
    checkBucketId(bucketId);
    const { directory, prefix, suffix, compressed, encoder } = this.#settings;
    const name = this.#names.make(prefix);
    const part = new PartFile(this.#context.fs, compressed, {
      bucketId, inProgressPath: inProgressPath(directory, name), finalPath: this.#finalPath(bucketId, name + suffix), lengthBytes: 0, createdMs: nowMs, lastUpdateMs: nowMs,
    }, { stagedFiles: this.#stagedFiles });
    if (encoder.header !== undefined) part.append(encoder.header);
    this.#parts.set(bucketId, part);
    return part;
  }

  #finalPath(bucketId: string, fileName: string): string {
    return joinPath(joinPath(this.#settings.directory, bucketId), fileName);
  }

  #drain(part: PartFile): void {
    if (part.bufferedChars === 0) return;
    const bytes = part.takeBuffer();
    this.#outstandingBytes += bytes.length;
    this.#enqueue(async () => {
      await part.write(bytes);
      this.#outstandingBytes -= bytes.length;
    });
  }

  #roll(part: PartFile): void {
    this.#parts.delete(part.bucketId);
    this.#drain(part);
    this.#finish(part);
  }

  #finish(part: PartFile): void {
    this.#closing.add(part);
    this.#enqueue(async () => {
      this.#pending.push(await part.finish());
      this.#closing.delete(part);
    });
  }

  /** After a failure nothing more is done: later work must not land behind a gap. */
  #enqueue(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(work);
    this.#queue.catch((error: unknown) => (this.#failure ??= { error }));
  }

  #schedule(): void {
    this.#timer = this.#context.registerTimer(this.#settings.bucketCheckIntervalMs, () => {
      const nowMs = this.#context.clock.nowMs();
      for (const part of this.#parts.values()) {
        if (this.#settings.rollingPolicy.shouldRollOnProcessingTime(part, nowMs)) this.#roll(part);
      }
      this.#schedule();
      return this.#queue;
    });
  }
}
