import type { Cancellable, CommittingSinkWriter, SinkWriteContext, SinkWriterContext, StagedFiles, StatefulSinkWriter } from "@millrace/core";
import { joinPath } from "../path/resolve-path.js";
import { checkBucketId } from "./bucket-assigner.js";
import { PartCompaction } from "./compaction/part-compaction.js";
import type { CompactionTarget } from "./compaction/part-compaction.js";
import type { ClosedPart, FileSinkCommittable, FileSinkWriterState, WaitingPart } from "./file-sink-state.js";
import type { FileSinkSettings } from "./file-sink.js";
import { PartFile } from "./part-file.js";
import { heldDirectory, inProgressPath, PartNames } from "./part-names.js";
import { PendingPartitions } from "./partition-commit/pending-partitions.js";
import { copyPart, partLost, resumePart, stageCopy } from "./resume-part.js";

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
  readonly #parts = new Map<string, PartFile<T>>();
  readonly #closing = new Set<PartFile<T>>();
  readonly #compaction: PartCompaction | undefined;
  readonly #partitions: PendingPartitions | undefined;
  #pending: ClosedPart[] = [];
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
    const { compaction, partitionCommit } = settings;
    if (compaction !== undefined) this.#compaction = new PartCompaction(context.fs, stagedFiles, compaction, (bucketId) => this.#newPaths(bucketId));
    if (partitionCommit !== undefined) this.#partitions = new PendingPartitions(partitionCommit);
  }

  /** Opens a writer, with the states of the checkpoint that came to this subtask (of as many former writers as it may be). */
  static async open<T>(context: SinkWriterContext, settings: FileSinkSettings<T>, states: readonly FileSinkWriterState[]): Promise<FileSinkWriter<T>> {
    const stagedFiles = await context.fs.stagedFiles?.(settings.directory);
    const writer = new FileSinkWriter(context, settings, stagedFiles);
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
    const { bucketAssigner, rollingPolicy, format } = this.#settings;
    const nowMs = this.#context.clock.nowMs();
    const bucketId = bucketAssigner(value, { currentProcessingTimeMs: nowMs, timestampMs: context.timestamp, currentWatermark: context.currentWatermark });
    let part = this.#parts.get(bucketId);
    if (part !== undefined && rollingPolicy.shouldRollOnEvent(part)) {
      this.#roll(part);
      part = undefined;
    }
    part ??= this.#begin(bucketId, nowMs);
    part.append(value);
    part.lastUpdateMs = nowMs;
    if (part.readyBytes >= format.flushBytes) this.#drain(part, false);
    return this.#outstandingBytes > MAX_OUTSTANDING_BYTES ? this.#queue : undefined;
  }

  async flush(endOfInput: boolean): Promise<void> {
    this.#endOfInput ||= endOfInput;
    for (const part of this.#parts.values()) this.#drain(part, false);
    await this.#queue;
  }

  async prepareCommit(): Promise<readonly FileSinkCommittable[]> {
    for (const part of this.#parts.values()) {
      if (this.#stagedFiles !== undefined || this.#endOfInput || this.#settings.format.isBulk || this.#settings.rollingPolicy.shouldRollOnCheckpoint(part)) this.#roll(part);
    }
    await this.#queue;
    const closed = this.#pending;
    this.#pending = [];
    const ready = this.#compaction === undefined ? closed : await this.#compaction.take(closed, this.#endOfInput);
    return this.#partitions === undefined ? ready : [...ready, this.#progress(this.#partitions)];
  }

  writeWatermark(timestampMs: number): void {
    this.#partitions?.advanceWatermark(timestampMs);
  }

  /** What this checkpoint's committer tells the others; its paths are none. */
  #progress(partitions: PendingPartitions): FileSinkCommittable {
    const { subtaskIndex, parallelism, clock } = this.#context;
    const held = new Set([...this.#parts.keys(), ...(this.#compaction?.waiting ?? []).map((part) => part.bucketId)]);
    return { inProgressPath: "", finalPath: "", sizeBytes: 0, progress: partitions.progress(subtaskIndex, parallelism, clock.nowMs(), this.#endOfInput, (bucketId) => held.has(bucketId)) };
  }

  async snapshotState(): Promise<readonly FileSinkWriterState[]> {
    await this.flush(false);
    const inProgress = await Promise.all([...this.#parts.values()].map((part) => part.sync()));
    return [{ jobId: this.#context.jobId, uid: this.#names.uid, subtask: this.#context.subtaskIndex, nextPart: this.#names.nextPart, inProgress, ...this.#heldState() }];
  }

  /** Of writers that hold something back. */
  #heldState(): Pick<FileSinkWriterState, "waiting" | "partitions"> {
    return { ...(this.#compaction === undefined ? {} : { waiting: this.#compaction.waiting }), ...(this.#partitions === undefined ? {} : { partitions: this.#partitions.entries }) };
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
    const { directory, format } = this.#settings;
    // Of another job (a savepoint started anew, or twice) nothing may be touched: it could still be running.
    const own = states.filter((state) => state.jobId === jobId);
    const deleted = await this.#names.deleteLeftovers(fs, this.#stagedFiles, directory, own);
    if (deleted > 0) this.#context.log("info", `deleted ${deleted} unfinished part files that failed attempts left in ${directory}`);
    for (const state of states) {
      for (const [bucketId, createdMs] of state.partitions ?? []) this.#partitions?.add(bucketId, createdMs);
      for (const waiting of state.waiting ?? []) await this.#restoreWaiting(waiting, state.jobId);
      for (const old of state.inProgress) {
        let part = old;
        let writer;
        if (state.jobId === jobId) writer = await resumePart(fs, old);
        else {
          part = { ...old, ...this.#newPaths(old.bucketId) };
          writer = await copyPart(fs, old, part.inProgressPath);
        }
        const restored = new PartFile(fs, format.createContent(true), part, writer === undefined ? {} : { writer });
        // After a rescale two former writers' parts of one bucket may meet: the second is as good as finished.
        if (this.#parts.has(part.bucketId)) this.#finish(restored);
        else this.#parts.set(part.bucketId, restored);
      }
    }
    await this.#queue;
  }

  #begin(bucketId: string, nowMs: number): PartFile<T> {
    checkBucketId(bucketId);
    const part = new PartFile(this.#context.fs, this.#settings.format.createContent(false), {
      bucketId, ...this.#newPaths(bucketId), lengthBytes: 0, createdMs: nowMs, lastUpdateMs: nowMs,
    }, this.#compaction === undefined ? { stagedFiles: this.#stagedFiles } : { isObject: this.#stagedFiles !== undefined });
    this.#parts.set(bucketId, part);
    this.#partitions?.add(bucketId, nowMs);
    return part;
  }

  /** The paths of a new part of a bucket. */
  #newPaths(bucketId: string): CompactionTarget {
    const { directory, prefix, suffix } = this.#settings;
    const name = this.#names.make(prefix);
    return { inProgressPath: inProgressPath(this.#stagedFiles === undefined ? directory : heldDirectory(directory), name), finalPath: joinPath(joinPath(directory, bucketId), name + suffix) };
  }

  /** A part that compaction held back; one of another job is copied, as its open parts are. */
  async #restoreWaiting(waiting: WaitingPart, jobId: string): Promise<void> {
    let part = waiting;
    if (jobId !== this.#context.jobId) {
      part = { ...waiting, ...this.#newPaths(waiting.bucketId) };
      const writer = await copyPart(this.#context.fs, { ...waiting, lengthBytes: waiting.sizeBytes }, part.inProgressPath);
      await writer.close();
    } else if ((await this.#context.fs.status(part.inProgressPath)) === undefined) throw partLost(part.inProgressPath, "it is not there, for instance since a later checkpoint has merged it");
    if (this.#compaction !== undefined) this.#compaction.add(part);
    else this.#pending.push(this.#stagedFiles === undefined ? part : await stageCopy(this.#context.fs, this.#stagedFiles, part, this.#newPaths(part.bucketId).finalPath));
  }

  #drain(part: PartFile<T>, isEnd: boolean): void {
    if (part.readyBytes === 0 && !isEnd) return;
    const bytes = part.take(isEnd);
    if (bytes.length === 0) return;
    this.#outstandingBytes += bytes.length;
    this.#enqueue(async () => {
      await part.write(bytes);
      this.#outstandingBytes -= bytes.length;
    });
  }

  #roll(part: PartFile<T>): void {
    this.#parts.delete(part.bucketId);
    this.#drain(part, true);
    this.#finish(part);
  }

  #finish(part: PartFile<T>): void {
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
