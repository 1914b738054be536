import type { ByteReader, ByteWriter } from "@millrace/core";
import { PAGE_ROWS, PAGE_WORDS } from "../heap/paged.js";
import type { RowSet } from "../heap/row-set.js";
import { corruptSnapshot } from "./column-codec.js";

/** How a page is written. Part of the stored format. */
const NONE = 0;
const WHOLE = 1;
const BITS = 2;

/** Writes a set of rows: the number of pages, then by page what is in it. */
export function writeRowSet(writer: ByteWriter, rows: RowSet): void {
  writer.varuint(rows.pageCount);
  for (let page = 0; page < rows.pageCount; page++) {
    const count = rows.countOf(page);
    const kind = count === 0 ? NONE : count === PAGE_ROWS ? WHOLE : BITS;
    writer.u8(kind);
    if (kind === BITS) for (let i = page * PAGE_WORDS; i < (page + 1) * PAGE_WORDS; i++) writer.i32(rows.words[i] ?? 0);
  }
}

/** Reads what {@link writeRowSet} wrote and adds it to `rows`. @throws `STATE_SNAPSHOT_CORRUPT`. */
export function readRowSet(reader: ByteReader, rows: RowSet): void {
  const pages = reader.count(1);
  for (let page = 0; page < pages; page++) {
    const kind = reader.u8();
    if (kind === WHOLE) rows.addPage(page);
    else if (kind === BITS) readPage(reader, rows, page);
    else if (kind !== NONE) throw corruptSnapshot(`a page of rows has the unknown kind ${kind}`);
  }
}

function readPage(reader: ByteReader, rows: RowSet, page: number): void {
  reader.need(PAGE_WORDS * 4);
  for (let i = 0; i < PAGE_WORDS; i++) {
    const first = (page * PAGE_WORDS + i) * 32;
    for (let left = reader.i32(); left !== 0; left &= left - 1) rows.add(first + 31 - Math.clz32(left & -left));
  }
}
