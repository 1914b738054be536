import { ByteReader, MillraceError, keyGroupOf, keyHash } from "@millrace/core";
import type { KeyGroupOffset } from "../handles.js";
import type { HeapKeyedStateBackend } from "../heap/keyed-backend.js";
import type { HeapSlice } from "../heap/slice.js";
import type { StateTable } from "../heap/state-table.js";
import { corruptSnapshot, readColumn } from "./column-codec.js";
import { PAGE_ROWS } from "../heap/paged.js";
import { RowSet } from "../heap/row-set.js";
import { BLOCK_NUMBERED_ROWS, BLOCK_ROWS, BLOCK_SLICES, BLOCK_TIMERS, EVENT_TIME, decodeHeader, type SnapshotHeader } from "./format.js";
import { readPage } from "./page-codec.js";
import { readRowSet } from "./row-set-codec.js";

/** The bytes of one handle (its whole file range) and where its key groups are. */
export interface RestorePart {
  readonly bytes: Uint8Array;
  readonly keyGroups: readonly KeyGroupOffset[];
  /** Incremental: what older checkpoints wrote, ascending. */
  readonly earlier?: readonly RestorePart[];
}

/** Adds what `part` holds of the backend's key groups to the backend. */
export function restoreInto(backend: HeapKeyedStateBackend, part: RestorePart): void {
  const told = new RowSet();
  restorePart(backend, part, told, true);
  for (const earlier of part.earlier?.toReversed() ?? []) restorePart(backend, earlier, told, false);
}

/** Restores what is not in `told` yet: the rows whose state a newer part tells. Slices and timers are in the newest part alone. */
function restorePart(backend: HeapKeyedStateBackend, part: RestorePart, told: RowSet, newest: boolean): void {
  const reader = new ByteReader(part.bytes);
  const header = decodeHeader(reader);
  if (header.maxParallelism !== backend.maxParallelism) throw otherMaxParallelism(header.maxParallelism, backend.maxParallelism);
  const restore = new PartRestore(backend, header, told, newest);
  const rows = new RowSet();
  if (header.rows === "some") readRowSet(reader, rows);
  restore.pages(new ByteReader(part.bytes, reader.position, reader.position + pageBytesOf(header, reader.remaining)));
  const [first, last] = backend.keyGroupRange;
  for (const { keyGroup, offset, length } of part.keyGroups) {
    if (keyGroup < first || keyGroup > last) continue;
    if (offset + length > part.bytes.length) throw corruptSnapshot(`key group ${keyGroup} ends behind the end of the file`);
    restore.keyGroup(new ByteReader(part.bytes, offset, offset + length));
  }
  told.addAll(rows);
}

/** In place of a row number: a newer part tells the row's state. */
const TOLD = -1;

class PartRestore {
  private readonly backend: HeapKeyedStateBackend;
  private readonly header: SnapshotHeader;
  private readonly states: StateTable[];
  private readonly told: RowSet;
  private readonly newest: boolean;

  constructor(backend: HeapKeyedStateBackend, header: SnapshotHeader, told: RowSet, newest: boolean) {
    this.told = told;
    this.newest = newest;
    this.backend = backend;
    this.header = header;
    this.states = header.states.map((meta) => {
      const table = backend.states.restored(meta.name, meta, meta.schema);
      if (table.kind !== meta.kind || table.ttl !== meta.ttl) throw corruptSnapshot(`state "${meta.name}" differs between its parts`);
      // What one old subtask saw as numbers only, another may not have.
      if (JSON.stringify(table.schema) !== JSON.stringify(meta.schema)) table.schema = { kind: "any" };
      return table;
    });
  }

  keyGroup(reader: ByteReader): void {
    while (reader.remaining > 0) {
      const type = reader.u8();
      const length = reader.i32() >>> 0;
      reader.need(length);
      const body = new ByteReader(reader.bytes, reader.position, reader.position + length);
      reader.position += length;
      if (type === BLOCK_ROWS || type === BLOCK_NUMBERED_ROWS) this.rows(body, type === BLOCK_NUMBERED_ROWS);
      else if (type !== BLOCK_SLICES && type !== BLOCK_TIMERS) throw corruptSnapshot(`a block has the unknown type ${type}`);
      else if (this.newest && type === BLOCK_SLICES) this.slices(body);
      else if (this.newest) this.timers(body);
    }
  }

  private rows(body: ByteReader, numbered: boolean): void {
    const count = body.count(1);
    const keys = readColumn(body, count);
    const table = this.backend.cursor.table;
    const rows = new Int32Array(count);
    if (numbered) body.need(count * 4);
    for (let i = 0; i < count; i++) rows[i] = numbered && this.told.has(body.i32()) ? TOLD : this.rowOf(keys[i]);
    for (let left = body.varuint(); left > 0; left--) {
      const state = this.states[body.varuint()];
      if (state === undefined) throw corruptSnapshot("a block refers to a state that the header does not name");
      const present = body.count(1);
      if (present > count) throw corruptSnapshot("a state has more values than there are rows");
      const ordinals = present < count ? readColumn(body, present) : undefined;
      const values = readColumn(body, present, state);
      for (let i = 0; i < present; i++) {
        const row = rows[ordinals === undefined ? i : (ordinals[i] as number)];
        if (row === undefined) throw corruptSnapshot("a value refers to a row that is not there");
        if (row !== TOLD && state.column.set(row, values[i])) table.hold(row);
      }
    }
  }

  /** Pages of rows of all key groups: takes those of the backend. */
  pages(reader: ByteReader): void {
    const { cursor, maxParallelism } = this.backend;
    while (reader.remaining > 0) {
      const { firstRow, isPresent, keys, columns } = readPage(reader);
      const targets = columns.map(({ state }) => {
        const table = this.states[state];
        if (table === undefined) throw corruptSnapshot("a page refers to a state that the header does not name");
        return table;
      });
      for (let at = 0; at < PAGE_ROWS; at++) {
        if (!isPresent(at) || this.told.has(firstRow + at) || columns.every(({ values }) => Number.isNaN(values[at]!))) continue;
        const key = keys[at];
        const keyGroup = keyGroupOf(keyHash(key), maxParallelism);
        if (keyGroup < cursor.firstKeyGroup || keyGroup > cursor.lastKeyGroup) continue;
        const row = this.rowOf(key);
        for (let i = 0; i < columns.length; i++) {
          const value = columns[i]!.values[at]!;
          if (!Number.isNaN(value) && targets[i]!.column.set(row, value)) cursor.table.hold(row);
        }
      }
    }
  }

  /** The row of a key, new if need be; whoever asks holds it. */
  private rowOf(key: unknown): number {
    const table = this.backend.cursor.table;
    const hash = keyHash(key);
    const found = table.find(key, hash);
    if (found >= 0) return found;
    this.backend.cursor.keyGroupOfHash(hash, key);
    return table.insert(key, hash);
  }

  private slices(body: ByteReader): void {
    const name = this.header.sliceTables[body.varuint()];
    if (name === undefined) throw corruptSnapshot("a block refers to a slice table that the header does not name");
    const count = body.count(1);
    const namespaces: number[] = [];
    for (let left = body.count(9); left > 0; left--) {
      const namespace = body.f64();
      for (let entries = body.varuint(); entries > 0 && namespaces.length < count; entries--) namespaces.push(namespace);
    }
    if (namespaces.length !== count) throw corruptSnapshot("the runs of a slice block do not add up");
    const keys = readColumn(body, count);
    const values = readColumn(body, count);
    const table = this.backend.sliceTable<unknown>(name);
    for (let i = 0; i < count; i++) {
      const slice = table.slice(namespaces[i]!) as HeapSlice<unknown, unknown>;
      slice.set(slice.upsert(keys[i], keyHash(keys[i])), values[i]);
    }
  }

  private timers(body: ByteReader): void {
    const name = this.header.timerServices[body.varuint()];
    if (name === undefined) throw corruptSnapshot("a block refers to a timer service that the header does not name");
    const queues = this.backend.timers(name);
    const queue = body.u8() === EVENT_TIME ? queues.eventTime : queues.processingTime;
    const count = body.count(1);
    const times = readColumn(body, count);
    const sequences = readColumn(body, count);
    const namespaces = readColumn(body, count);
    const keys = readColumn(body, count);
    for (let i = 0; i < count; i++) {
      queue.restore(this.rowOf(keys[i]), namespaces[i] as string, times[i] as number, sequences[i] as number);
    }
  }
}

function pageBytesOf({ pageBytes = 0 }: SnapshotHeader, remaining: number): number {
  if (!Number.isInteger(pageBytes) || pageBytes < 0 || pageBytes > remaining) throw corruptSnapshot("its pages end behind the end of the file");
  return pageBytes;
}

function otherMaxParallelism(written: number, wanted: number): MillraceError {
  return new MillraceError({
    code: "STATE_MAX_PARALLELISM_MISMATCH",
    message: `keyed state was written with a maximum parallelism of ${written}, but the operator has ${wanted}`,
    hint: `Set the maximum parallelism of the operator to ${written}: it fixes the key groups and cannot change with state.`,
  });
}
