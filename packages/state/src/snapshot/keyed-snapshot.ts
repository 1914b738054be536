import { keyGroupOf, type Clock } from "@millrace/core";
import type { FileRange, KeyGroupOffset, KeyedStateHandle } from "../handles.js";
import type { HeapKeyedStateBackend } from "../heap/keyed-backend.js";
import type { HeapSlice } from "../heap/slice.js";
import type { BitSet } from "../heap/paged.js";
import type { StateTable } from "../heap/state-table.js";
import type { TimerQueue } from "../timers/timer-queue.js";
import { ChunkAssembler } from "./chunk-assembler.js";
import { EntryTracker } from "./entry-tracker.js";
import { BLOCK_NUMBERED_ROWS, BLOCK_ROWS, EVENT_TIME, PROCESSING_TIME, encodeHeader, type SnapshotHeader } from "./format.js";
import { BlockMemory, GroupWriter } from "./group-writer.js";
import { PageWriter } from "./page-codec.js";
import type { RowPlan } from "./row-history.js";
import { RowRuns } from "./row-runs.js";

/** Bytes written between two looks at the clock, unless told otherwise: some 0.1 ms. */
const BYTES_PER_SLICE = 16 * 1024;

/** What the last snapshot of a backend encoded with: its memory is warm, some 10 KiB for each key group and state. */
const spareWritersOf: WeakMap<HeapKeyedStateBackend, GroupWriter[]> = new WeakMap();

export interface KeyedSnapshotResult {
  readonly keyGroupRange: readonly [number, number];
  /** Ascending; offsets count from the first byte of the first chunk. Groups without state are left out. */
  readonly keyGroups: readonly KeyGroupOffset[];
  /** The bytes of the handle, in order. */
  readonly chunks: readonly Uint8Array[];
  readonly stateBytes: number;
}

/**
 * A time-sliced copy-on-write snapshot of a heap backend, as it was when the snapshot was made.
 *
 * Call {@link step} between records until it returns true, then {@link finish}; or {@link abort} at any time. A value that is about to be
 * used or changed before the snapshot reached it is written first, so that use of the backend goes on meanwhile.
 */
export class KeyedSnapshot {
  readonly checkpointId: number;
  private readonly bytesPerSlice: number;
  private readonly clock: Clock;
  private readonly keyGroupRange: readonly [number, number];
  private readonly maxParallelism: number;
  private readonly groups: (GroupWriter | undefined)[];
  private readonly states: readonly StateTable[];
  private readonly header: Omit<SnapshotHeader, "states">;
  private readonly metaInfos: SnapshotHeader["states"];
  /** Which states had a value that is no number. */
  private readonly sawOthers: Uint8Array;
  private readonly backend: HeapKeyedStateBackend;
  private readonly plan: RowPlan | undefined;
  private readonly spareWriters: GroupWriter[];
  private readonly memory: BlockMemory = new BlockMemory();
  private readonly pages: PageWriter | undefined;
  private trackers: EntryTracker[] = [];
  private flushedGroups = 0;
  private assembler: ChunkAssembler | undefined = undefined;

  /** Use `backend.snapshot(checkpointId)`. With a plan it is a part of an incremental snapshot. */
  constructor(backend: HeapKeyedStateBackend, checkpointId: number, bytesPerSlice: number = BYTES_PER_SLICE, plan?: RowPlan) {
    this.checkpointId = checkpointId;
    this.bytesPerSlice = bytesPerSlice;
    this.clock = backend.clock;
    this.backend = backend;
    this.plan = plan;
    this.spareWriters = spareWritersOf.get(backend) ?? [];
    spareWritersOf.delete(backend);
    this.keyGroupRange = backend.keyGroupRange;
    this.maxParallelism = backend.maxParallelism;
    this.groups = Array<GroupWriter | undefined>(backend.keyGroupRange[1] - backend.keyGroupRange[0] + 1).fill(undefined);
    this.states = [...backend.states.tables.values()];
    this.sawOthers = new Uint8Array(this.states.length);
    this.metaInfos = this.states.map(({ name, kind, namespaced, ttl, schema }) => ({ name, kind, namespaced, ttl, schema }));
    this.header = {
      checkpointId,
      maxParallelism: backend.maxParallelism,
      sliceTables: [...backend.sliceTables.keys()],
      timerServices: [...backend.timerQueues.keys()],
      ...(plan === undefined ? {} : { rows: plan.rows === undefined ? "all" as const : "some" as const }),
    };
    this.pages = plan === undefined ? undefined : new PageWriter(backend.cursor.table, this.states);
    this.trackRows(backend);
    [...backend.sliceTables.values()].forEach((table, index) => {
      for (const slice of table.slices.values()) this.trackSlice(slice, index);
    });
    [...backend.timerQueues.values()].forEach((queues, index) => {
      this.trackTimers(queues.eventTime, index, EVENT_TIME);
      this.trackTimers(queues.processingTime, index, PROCESSING_TIME);
    });
  }

  /** Encodes more for about `budgetMs`; true when there is nothing left to do but {@link finish}. */
  step(budgetMs: number): boolean {
    const deadline = this.clock.monotonicMs() + budgetMs;
    while (!this.advance()) if (this.clock.monotonicMs() >= deadline) return false;
    return true;
  }

  /** The snapshot's bytes; does what {@link step} left undone. Call once. */
  finish(): KeyedSnapshotResult {
    while (!this.advance());
    const { keyGroups, chunks, totalBytes } = this.assembler!;
    return { keyGroupRange: this.keyGroupRange, keyGroups, chunks, stateBytes: totalBytes };
  }

  /**
   * The handle of what {@link finish} returned, written to `file`; `fileOfOthers` is the same range, by a path that holds in other checkpoints'
   * handles, too. Call it once, before the checkpoint can be complete: later snapshots may refer to the file.
   */
  handle(result: KeyedSnapshotResult, file: FileRange, fileOfOthers: FileRange): KeyedStateHandle {
    const { keyGroupRange, keyGroups } = result;
    if (this.plan === undefined) return { keyGroupRange, keyGroups, file };
    const common = this.pages!.chunks.length > 0;
    this.backend.history.located(this.checkpointId, { checkpointId: this.checkpointId, keyGroups, file: fileOfOthers, common });
    return { keyGroupRange, keyGroups, file, common, earlier: this.plan.earlier };
  }

  /** Gives the snapshot up; the backend stops copying for it. */
  abort(): void {
    for (const tracker of this.trackers) tracker.stop();
    this.trackers = [];
    this.groups.fill(undefined);
  }

  private advance(): boolean {
    const tracker = this.trackers.at(-1);
    if (tracker !== undefined) {
      if (tracker.scan(this.bytesPerSlice)) this.trackers.pop();
      return false;
    }
    this.assembler ??= this.assemble();
    if (this.flushedGroups < this.groups.length) {
      const index = this.flushedGroups++;
      const group = this.groups[index];
      if (group !== undefined) {
        group.flush();
        this.assembler.add(this.keyGroupRange[0] + index, group.blocks);
        this.groups[index] = undefined;
        this.spareWriters.push(group);
      }
      return false;
    }
    this.assembler.close();
    if (this.spareWriters.length > 0) spareWritersOf.set(this.backend, this.spareWriters.splice(0));
    return true;
  }

  private assemble(): ChunkAssembler {
    this.pages?.close();
    const pages = this.pages?.chunks ?? [];
    const pageBytes = pages.reduce((sum, { length }) => sum + length, 0);
    const header = { ...this.header, states: this.describeStates(), ...(pageBytes > 0 ? { pageBytes } : {}) };
    return new ChunkAssembler(encodeHeader(header, this.plan?.rows), pages);
  }

  private describeStates(): SnapshotHeader["states"] {
    return this.metaInfos.map((meta, i) => {
      const isPlain = meta.kind !== "list" && meta.kind !== "map" && !meta.namespaced && !meta.ttl;
      const onlyNumbers = isPlain && meta.schema.kind === "any" && this.sawOthers[i] === 0;
      return onlyNumbers ? { ...meta, schema: { kind: "number" } } : meta;
    });
  }

  private groupOf(hash: number): GroupWriter {
    return this.groupAt(keyGroupOf(hash, this.maxParallelism) - this.keyGroupRange[0]);
  }

  private groupAt(index: number): GroupWriter {
    return (this.groups[index] ??= this.newWriter());
  }

  private newWriter(): GroupWriter {
    const rowType = this.plan === undefined ? BLOCK_ROWS : BLOCK_NUMBERED_ROWS;
    const writer = this.spareWriters.pop();
    if (writer === undefined) return new GroupWriter(this.memory, rowType);
    writer.reuse(this.memory, rowType);
    return writer;
  }

  private trackRows(backend: HeapKeyedStateBackend): void {
    const { cursor } = backend;
    const { table } = cursor;
    const nowMs = this.clock.nowMs();
    const write = (row: number): number => {
      if (!table.isUsed(row)) return 0;
      return this.groupOf(table.hashes.get(row)).addRow(table.keyAt(row), row, this.states, this.sawOthers, nowMs);
    };
    const runs = new RowRuns(table, this.states, this.maxParallelism, this.keyGroupRange, (index) => this.groupAt(index));
    const writeRun = (from: number, to: number, written: BitSet): number => {
      const bytes = this.pages?.write(from, to, written) ?? -1;
      return bytes >= 0 ? bytes : runs.write(from, to, written);
    };
    this.trackers.push(new EntryTracker(cursor, table.rowCount, write, writeRun, this.plan?.rows));
  }

  private trackSlice(slice: HeapSlice<unknown, unknown>, table: number): void {
    if (slice.size === 0) return;
    const write = (position: number): number =>
      this.groupOf(slice.hashAt(position)).addSliceEntry(table, slice.namespace, slice.keyAt(position), slice.peek(position));
    this.trackers.push(new EntryTracker(slice, slice.size, write));
  }

  private trackTimers(queue: TimerQueue, service: number, domain: number): void {
    if (queue.size === 0) return;
    const keys = queue.cursor.table;
    const write = (id: number): number => {
      const row = queue.rowOf(id);
      if (row < 0) return 0;
      const group = this.groupOf(keys.hashes.get(row));
      return group.addTimer(service, domain, queue.timeOf(id), queue.sequenceOf(id), queue.namespaceOf(id), keys.keyAt(row));
    };
    this.trackers.push(new EntryTracker(queue, queue.idCount, write));
  }
}
