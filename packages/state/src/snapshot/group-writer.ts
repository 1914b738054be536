import { ByteWriter } from "@millrace/core";
import type { StateTable } from "../heap/state-table.js";
import { ColumnBuilder, int32Bytes } from "./column-codec.js";
import { BLOCK_HEAD_BYTES, BLOCK_NUMBERED_ROWS, BLOCK_SLICES, BLOCK_TIMERS } from "./format.js";
import type { RowRun } from "./row-runs.js";

/** Entries and bytes after which an open block is closed: so few that the open blocks of all key groups stay in the processor's cache. */
const MAX_BLOCK_ENTRIES = 512;
const MAX_BLOCK_BYTES = 256 * 1024;

/** Entries that are collected until there are enough for a block. */
interface OpenBlock {
  count: number;
  bytes: number;
  /** Writes the entries and starts again without any, keeping the memory. */
  encode(body: ByteWriter, type: number): void;
}

const MEMORY_BYTES = 256 * 1024;

/** Encodes the blocks of one snapshot, one behind the other in large pieces of memory. */
export class BlockMemory {
  private readonly body: ByteWriter = new ByteWriter(4096);
  private piece: Uint8Array = new Uint8Array(0);
  private used = 0;

  /** The block with its head; the block is empty afterwards. */
  encode(block: OpenBlock, type: number): Uint8Array {
    const { body } = this;
    body.clear();
    body.u8(type);
    body.i32(0);
    block.encode(body, type);
    const end = body.position;
    body.position = 1;
    body.i32(end - BLOCK_HEAD_BYTES);
    if (this.used + end > this.piece.length) {
      this.piece = new Uint8Array(Math.max(end, MEMORY_BYTES));
      this.used = 0;
    }
    const encoded = this.piece.subarray(this.used, this.used + end);
    encoded.set(body.bytes.subarray(0, end));
    this.used += end;
    return encoded;
  }
}

/** A state's part of a block of rows. */
class StateColumn {
  readonly values: ColumnBuilder = new ColumnBuilder();
  /** Which rows have a value; not used while all have. */
  readonly ordinals: ColumnBuilder = new ColumnBuilder();

  /** Notes that the value just added belongs to row `row` of the block. */
  belongsTo(row: number): void {
    const { ordinals, values } = this;
    if (ordinals.count === 0) {
      if (values.count === row + 1) return;
      for (let dense = 0; dense < values.count - 1; dense++) ordinals.addNumber(dense);
    }
    ordinals.addNumber(row);
  }

  writeTo(body: ByteWriter, rows: number): void {
    body.varuint(this.values.count);
    if (this.values.count < rows && this.ordinals.count === 0) {
      for (let dense = 0; dense < this.values.count; dense++) this.ordinals.addNumber(dense);
    }
    if (this.values.count < rows) this.ordinals.writeTo(body);
    this.values.writeTo(body);
    this.values.reset();
    this.ordinals.reset();
  }
}

class RowBlock implements OpenBlock {
  count = 0;
  bytes = 0;
  readonly keys: ColumnBuilder = new ColumnBuilder();
  /** Row numbers, used in incremental snapshots only. */
  private numbers: Int32Array = new Int32Array(0);
  readonly states: (StateColumn | undefined)[] = [];

  /** Notes the number of row `at` of the block. */
  number(at: number, row: number): void {
    if (at >= this.numbers.length) this.reach(at + 1);
    this.numbers[at] = row;
  }

  /** Notes the numbers of a run whose first row is row `at` of the block. */
  numberRun({ from, to, order, firstRow }: RowRun, at: number): void {
    if (at + to - from > this.numbers.length) this.reach(at + to - from);
    const { numbers } = this;
    for (let i = from; i < to; i++) numbers[at + i - from] = firstRow + order[i]!;
  }

  encode(body: ByteWriter, type: number): void {
    body.varuint(this.count);
    this.keys.writeTo(body);
    if (type === BLOCK_NUMBERED_ROWS) body.raw(int32Bytes(this.numbers, this.count));
    const present = this.states.map((column, index) => ({ column, index })).filter(({ column }) => column !== undefined && column.values.count > 0);
    body.varuint(present.length);
    for (const { column, index } of present) {
      body.varuint(index);
      column!.writeTo(body, this.count);
    }
    this.keys.reset();
    this.count = 0;
    this.bytes = 0;
  }

  private reach(count: number): void {
    const grown = new Int32Array(Math.max(MAX_BLOCK_ENTRIES, 2 * this.numbers.length, count));
    grown.set(this.numbers);
    this.numbers = grown;
  }
}

class SliceBlock implements OpenBlock {
  count = 0;
  bytes = 0;
  private readonly table: number;
  private readonly keys: ColumnBuilder = new ColumnBuilder();
  private readonly values: ColumnBuilder = new ColumnBuilder();
  private readonly runs: { readonly namespace: number; entries: number }[] = [];

  constructor(table: number) {
    this.table = table;
  }

  add(namespace: number, key: unknown, value: unknown): number {
    const run = this.runs.at(-1);
    if (run !== undefined && run.namespace === namespace) run.entries++;
    else this.runs.push({ namespace, entries: 1 });
    this.count++;
    return this.keys.add(key) + this.values.add(value);
  }

  encode(body: ByteWriter): void {
    body.varuint(this.table);
    body.varuint(this.count);
    body.varuint(this.runs.length);
    for (const { namespace, entries } of this.runs) {
      body.f64(namespace);
      body.varuint(entries);
    }
    for (const column of [this.keys, this.values]) {
      column.writeTo(body);
      column.reset();
    }
    this.runs.length = 0;
    this.count = 0;
    this.bytes = 0;
  }
}

class TimerBlock implements OpenBlock {
  count = 0;
  bytes = 0;
  private readonly service: number;
  private readonly domain: number;
  private readonly times: ColumnBuilder = new ColumnBuilder();
  private readonly sequences: ColumnBuilder = new ColumnBuilder();
  private readonly namespaces: ColumnBuilder = new ColumnBuilder();
  private readonly keys: ColumnBuilder = new ColumnBuilder();

  constructor(service: number, domain: number) {
    this.service = service;
    this.domain = domain;
  }

  add(timeMs: number, sequence: number, namespace: string, key: unknown): number {
    this.times.addNumber(timeMs);
    this.sequences.addNumber(sequence);
    this.count++;
    return 16 + this.namespaces.add(namespace) + this.keys.add(key);
  }

  encode(body: ByteWriter): void {
    body.varuint(this.service);
    body.u8(this.domain);
    body.varuint(this.count);
    for (const column of [this.times, this.sequences, this.namespaces, this.keys]) {
      column.writeTo(body);
      column.reset();
    }
    this.count = 0;
    this.bytes = 0;
  }
}

/** Adds a state's numbers of a run whose first row is row `first` of the block, leaving out rows that have none. */
function addPresent(column: StateColumn, state: StateTable, { from, to, order, firstRow }: RowRun, first: number): void {
  for (let i = from; i < to; i++) {
    const value = state.column.get(firstRow + order[i]!);
    if (value === undefined) continue;
    column.values.add(value);
    column.belongsTo(first + i - from);
  }
}

/** Collects what a snapshot writes of one key group, in blocks. */
export class GroupWriter {
  /** Finished blocks, heads included. */
  readonly blocks: Uint8Array[] = [];
  private rows: RowBlock | undefined = undefined;
  private readonly slices: Map<number, SliceBlock> = new Map();
  private readonly timers: Map<number, TimerBlock> = new Map();
  private memory: BlockMemory;
  /** How rows are written: with their numbers or without. */
  private rowType: number;

  constructor(memory: BlockMemory, rowType: number) {
    this.memory = memory;
    this.rowType = rowType;
  }

  /** Starts again without blocks, keeping the memory of open ones. Only after {@link flush}. */
  reuse(memory: BlockMemory, rowType: number): void {
    this.blocks.length = 0;
    this.memory = memory;
    this.rowType = rowType;
  }

  /** Writes one row of all states; returns about how many bytes that took, 0 when no state has a value. */
  addRow(key: unknown, row: number, states: readonly StateTable[], sawOthers: Uint8Array, nowMs: number): number {
    const block = (this.rows ??= new RowBlock());
    let bytes = 0;
    for (let i = 0; i < states.length; i++) {
      const state = states[i]!;
      const payload = state.column.get(row);
      if (payload === undefined) continue;
      const column = (block.states[i] ??= new StateColumn());
      let added: number;
      if (typeof payload === "number") {
        added = column.values.add(payload);
      } else {
        sawOthers[i] = 1;
        const plain = !state.namespaced && !state.ttl && state.kind !== "list" && state.kind !== "map";
        added = plain ? column.values.add(payload) : column.values.addPayload(payload, state, state.policy, nowMs);
      }
      if (added > 0) column.belongsTo(block.count);
      bytes += added;
    }
    if (bytes === 0) return 0;
    bytes += block.keys.add(key);
    if (this.rowType === BLOCK_NUMBERED_ROWS) block.number(block.count, row);
    block.count++;
    this.closeIfFull(block, bytes, this.rowType);
    return bytes;
  }

  /** Writes the rows of a run; returns about how many bytes that took. */
  addRows(run: RowRun): number {
    const { from, to, order, states, numbers, dense, keys } = run;
    const block = (this.rows ??= new RowBlock());
    const first = block.count;
    let bytes = 0;
    for (let i = 0; i < states.length; i++) {
      if (numbers[i]!.length === 0) continue;
      const column = (block.states[i] ??= new StateColumn());
      const before = column.values.count;
      if (dense[i] === 1 && before === first) column.values.addNumbers(numbers[i]!, order, from, to);
      else addPresent(column, states[i]!, run, first);
      bytes += 8 * (column.values.count - before);
    }
    if (keys.length !== 0) {
      block.keys.addNumbers(keys, order, from, to);
      bytes += 8 * (to - from);
    } else {
      const { written, writtenEnds } = run;
      for (let i = from; i < to; i++) {
        const at = order[i]!;
        const start = at === 0 ? 0 : writtenEnds[at - 1]!;
        block.keys.addWritten(written, start, writtenEnds[at]!);
        bytes += writtenEnds[at]! - start;
      }
    }
    if (this.rowType === BLOCK_NUMBERED_ROWS) block.numberRun(run, first);
    block.count += to - from;
    this.closeIfFull(block, bytes, this.rowType);
    return bytes;
  }

  addSliceEntry(table: number, namespace: number, key: unknown, value: unknown): number {
    let block = this.slices.get(table);
    if (block === undefined) this.slices.set(table, (block = new SliceBlock(table)));
    const bytes = block.add(namespace, key, value);
    this.closeIfFull(block, bytes, BLOCK_SLICES);
    return bytes;
  }

  addTimer(service: number, domain: number, timeMs: number, sequence: number, namespace: string, key: unknown): number {
    const id = service * 2 + domain;
    let block = this.timers.get(id);
    if (block === undefined) this.timers.set(id, (block = new TimerBlock(service, domain)));
    const bytes = block.add(timeMs, sequence, namespace, key);
    this.closeIfFull(block, bytes, BLOCK_TIMERS);
    return bytes;
  }

  /** Closes the blocks that are still open. Nothing can be added afterwards, unless with {@link reuse}. */
  flush(): void {
    if (this.rows !== undefined) this.close(this.rows, this.rowType);
    for (const block of this.slices.values()) this.close(block, BLOCK_SLICES);
    for (const block of this.timers.values()) this.close(block, BLOCK_TIMERS);
    this.slices.clear();
    this.timers.clear();
  }

  private closeIfFull(block: OpenBlock, added: number, type: number): void {
    block.bytes += added;
    if (block.count >= MAX_BLOCK_ENTRIES || block.bytes >= MAX_BLOCK_BYTES) this.close(block, type);
  }

  private close(block: OpenBlock, type: number): void {
    if (block.count === 0) return;
    this.blocks.push(this.memory.encode(block, type));
  }
}
