import { ByteWriter, readValue, writeValue, type ByteReader } from "@millrace/core";
import type { KeyTable } from "../heap/key-table.js";
import { PAGE_MASK, PAGE_ROWS, PAGE_SHIFT, PAGE_WORDS, type BitSet } from "../heap/paged.js";
import type { StateTable } from "../heap/state-table.js";
import { LITTLE_ENDIAN, corruptSnapshot } from "./column-codec.js";

/** How the keys of a page are written. Part of the stored format. */
const DOUBLES = 0;
const TAGGED = 1;

const CHUNK_BYTES = 1024 * 1024;
/** Pages of which fewer rows are to be written go the way of single rows. */
const MIN_ROWS = PAGE_ROWS / 8;

/**
 * Writes pages of rows as they are in memory, where all values are numbers: a copy of bytes for each column, some 20 µs a page.
 *
 * Nothing is sorted by key group, so whoever restores must read all pages; it reads the whole file anyway.
 */
export class PageWriter {
  /** The pages, one behind the other. */
  readonly chunks: Uint8Array[] = [];
  private readonly table: KeyTable;
  private readonly states: readonly StateTable[];
  private readonly body: ByteWriter = new ByteWriter(4096);
  private readonly present: Int32Array = new Int32Array(PAGE_WORDS);
  private open: Uint8Array = new Uint8Array(0);
  private used = 0;

  constructor(table: KeyTable, states: readonly StateTable[]) {
    this.table = table;
    this.states = states;
  }

  /** Writes the page of rows that begins with `from`, without those in `early`; returns about how many bytes, -1 when it must be done otherwise. */
  write(from: number, to: number, early: BitSet): number {
    const page = from >>> PAGE_SHIFT;
    if (!LITTLE_ENDIAN || !this.fits(page) || this.choose(from, to, early) < MIN_ROWS) return -1;
    const { body, states } = this;
    body.clear();
    body.varuint(page);
    body.raw(new Uint8Array(this.present.buffer));
    this.writeKeys(page, from, to);
    const written = states.flatMap(({ column }, index) => ((column.numbersOf(page)?.length ?? 0) > 0 ? [index] : []));
    body.varuint(written.length);
    for (const index of written) {
      body.varuint(index);
      body.raw(bytesOf(states[index]!.column.numbersOf(page)!));
    }
    this.append(body.written());
    return body.position;
  }

  close(): void {
    if (this.used > 0) this.chunks.push(this.open.subarray(0, this.used));
    this.open = new Uint8Array(0);
    this.used = 0;
  }

  private fits(page: number): boolean {
    for (const { column } of this.states) if (column.numbersOf(page) === undefined || column.hasNaN(page)) return false;
    return !this.table.keys.hasNaN(page);
  }

  /** Fills {@link present}; returns how many rows that is. Free rows are among them: they have no values. */
  private choose(from: number, to: number, early: BitSet): number {
    const { present } = this;
    present.fill(0);
    let rows = 0;
    for (let first = from; first < to; first += 32) {
      let word = ~early.wordOf(first);
      if (to - first < 32) word &= (1 << (to - first)) - 1;
      present[(first - from) >>> 5] = word;
      if (word === -1) rows += 32;
      else for (; word !== 0; word &= word - 1) rows++;
    }
    return rows;
  }

  private writeKeys(page: number, from: number, to: number): void {
    const { body, present, table } = this;
    const numbers = table.keys.numbersOf(page);
    if (numbers !== undefined && numbers.length > 0) {
      body.u8(DOUBLES);
      body.raw(bytesOf(numbers));
      return;
    }
    body.u8(TAGGED);
    const holds = table.holds.pages[page]!;
    for (let row = from; row < to; row++) {
      const at = row & PAGE_MASK;
      // What is not in use is written as null, and has no values.
      if ((present[at >>> 5]! & (1 << at)) !== 0) writeValue(body, holds[at] === 0 ? null : table.keyAt(row));
    }
  }

  private append(bytes: Uint8Array): void {
    if (this.used + bytes.length > this.open.length) {
      this.close();
      this.open = new Uint8Array(Math.max(CHUNK_BYTES, bytes.length));
    }
    this.open.set(bytes, this.used);
    this.used += bytes.length;
  }
}

function bytesOf(numbers: Float64Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** A page as it was written. */
export interface WrittenPage {
  readonly firstRow: number;
  isPresent(at: number): boolean;
  /** By place in the page; only where a row is present. */
  readonly keys: ArrayLike<unknown>;
  /** Values of a state by place in the page, NaN for none. */
  readonly columns: readonly { readonly state: number; readonly values: Float64Array }[];
}

/** Reads a page that {@link PageWriter} wrote. @throws `STATE_SNAPSHOT_CORRUPT`. */
export function readPage(reader: ByteReader): WrittenPage {
  const firstRow = reader.varuint() * PAGE_ROWS;
  if (firstRow > 2 ** 31) throw corruptSnapshot("a page has an impossible number");
  reader.need(PAGE_WORDS * 4);
  const words = Array.from({ length: PAGE_WORDS }, () => reader.i32());
  const isPresent = (at: number): boolean => (words[at >>> 5]! & (1 << at)) !== 0;
  const kind = reader.u8();
  if (kind > TAGGED) throw corruptSnapshot(`the keys of a page have the unknown encoding ${kind}`);
  const keys = kind === DOUBLES ? readDoubles(reader) : readTagged(reader, isPresent);
  const columns = Array.from({ length: reader.count(PAGE_ROWS * 8) }, () => ({ state: reader.varuint(), values: readDoubles(reader) }));
  return { firstRow, isPresent, keys, columns };
}

function readDoubles(reader: ByteReader): Float64Array {
  const bytes = reader.raw(PAGE_ROWS * 8);
  if (LITTLE_ENDIAN) return new Float64Array(bytes.slice().buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: PAGE_ROWS }, (_, i) => view.getFloat64(i * 8, true));
}

function readTagged(reader: ByteReader, isPresent: (at: number) => boolean): unknown[] {
  return Array.from({ length: PAGE_ROWS }, (_, at) => (isPresent(at) ? readValue(reader) : undefined));
}
