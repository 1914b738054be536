import { ByteWriter, MillraceError, type ByteReader, type StateKind, type TypeSchema } from "@millrace/core";
import type { RowSet } from "../heap/row-set.js";
import { corruptSnapshot } from "./column-codec.js";
import { writeRowSet } from "./row-set-codec.js";

/**
 * The stored form of keyed state.
 *
 * What stands alone, as all of a savepoint does, is version 1: it has only rows, slices and timers, says nothing of how a backend keeps them, and is
 * read for ever. Parts of incremental checkpoints are version 0, which may change without notice.
 *
 * A handle is a header (with incremental snapshots a row set and pages of rows behind it), then the key groups, each a sequence of blocks (type, length, body) at an offset the metadata knows:
 * - rows: count, key column, count of states, for each its index in the header, its number of values, (when not all rows have one) the column
 *   of row ordinals, the column of values;
 * - slices: index of the table, count, number of runs, (namespace, entries) each, key column, value column;
 * - numbered rows (incremental snapshots): as rows, with the row numbers as int32 behind the key column;
 * - timers: index of the service, time domain, count, columns of times, sequence numbers, namespaces, keys.
 *
 * Lengths of blocks are 32-bit, counts varints, numbers little-endian; columns are described in `column-codec.ts`.
 */
export const BLOCK_ROWS = 1;
export const BLOCK_SLICES = 2;
export const BLOCK_TIMERS = 3;
export const BLOCK_NUMBERED_ROWS = 4;
/** Type byte and length of a block. */
export const BLOCK_HEAD_BYTES = 5;

export const EVENT_TIME = 0;
export const PROCESSING_TIME = 1;

const MAGIC = 0x534b524d; // "MRKS"
/** Of a part of an incremental snapshot, and of one that stands alone. */
const PART_VERSION = 0;
const FORMAT_VERSION = 1;
const KINDS: readonly StateKind[] = ["value", "list", "map", "reducing", "aggregating"];

export interface StateMetaInfo {
  readonly name: string;
  readonly kind: StateKind;
  readonly namespaced: boolean;
  readonly ttl: boolean;
  /** Declared, or "number" where nothing was declared and all values were numbers. */
  readonly schema: TypeSchema;
}

/** What a handle says of itself: blocks refer to these lists by index. */
export interface SnapshotHeader {
  readonly checkpointId: number;
  readonly maxParallelism: number;
  readonly states: readonly StateMetaInfo[];
  readonly sliceTables: readonly string[];
  readonly timerServices: readonly string[];
  /** Incremental snapshots: which rows the part tells, "all" or those in the row set that follows the header. */
  readonly rows?: "all" | "some";
  /** Bytes of whole pages of rows, which come next; see `page-codec.ts`. */
  readonly pageBytes?: number;
}

/** `rows` follows when the header says "some". */
export function encodeHeader(header: SnapshotHeader, rows?: RowSet): Uint8Array {
  const writer = new ByteWriter(256);
  writer.i32(MAGIC);
  writer.u8(header.rows === undefined ? FORMAT_VERSION : PART_VERSION);
  writer.string(JSON.stringify(header));
  if (rows !== undefined) writeRowSet(writer, rows);
  return writer.finish();
}

export function decodeHeader(reader: ByteReader): SnapshotHeader {
  if (reader.remaining < 5 || reader.i32() !== MAGIC) throw corruptSnapshot("it does not start with the mark of keyed state");
  const version = reader.u8();
  if (version > FORMAT_VERSION) {
    throw new MillraceError({
      code: "STATE_SNAPSHOT_VERSION",
      message: `keyed state was written in format version ${version}; this release reads versions up to ${FORMAT_VERSION}`,
      hint: "Restore it with the release that wrote it, or a later one.",
    });
  }
  const text = reader.string();
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch (cause) {
    throw new MillraceError({ code: "STATE_SNAPSHOT_CORRUPT", message: "the header of a keyed state snapshot is not JSON", cause });
  }
  if (!isHeader(header)) throw corruptSnapshot("its header lacks fields");
  if (version === FORMAT_VERSION && (header.rows !== undefined || header.pageBytes !== undefined)) throw corruptSnapshot("a part of an incremental snapshot has the version of one that stands alone");
  return header;
}

function isHeader(value: unknown): value is SnapshotHeader {
  const header = value as Partial<SnapshotHeader> | null;
  return (
    typeof header?.maxParallelism === "number" &&
    [header.sliceTables, header.timerServices].every((names) => Array.isArray(names) && names.every((name) => typeof name === "string")) &&
    Array.isArray(header.states) &&
    header.states.every(isMetaInfo)
  );
}

function isMetaInfo(value: unknown): boolean {
  const meta = value as Partial<StateMetaInfo> | null;
  return (
    typeof meta?.name === "string" &&
    KINDS.includes(meta.kind as StateKind) &&
    typeof meta.namespaced === "boolean" &&
    typeof meta.ttl === "boolean" &&
    typeof meta.schema?.kind === "string"
  );
}
