/** Slots of a full-grown segment: large enough to keep the directory small, small enough that splitting one takes about 0.2 ms. */
const MAX_SEGMENT_SLOTS = 16384;
const MIN_SEGMENT_SLOTS = 8;
/** Below this depth an overfull segment is split; beyond it (many equal hashes) it only grows. */
const MAX_DEPTH = 20;

interface Segment {
  table: Int32Array;
  depth: number;
  used: number;
  limit: number;
}

/** Spreads a key hash over all bits, since the hashes of one subtask share the bits that choose the key group. */
export function mixHash(hash: number): number {
  return Math.imul(hash ^ (hash >>> 16), 0x9e3779b1);
}

/** Whether a key is an int32: those hash one to one. */
export function isInt32(key: unknown): boolean {
  return typeof key === "number" && (key | 0) === key;
}

function newSegment(slots: number, depth: number, limit: number): Segment {
  return { table: new Int32Array(slots * 2), depth, used: 0, limit };
}

function place(table: Int32Array, hash: number, biasedRef: number): void {
  const mask = table.length - 2;
  let slot = (mixHash(hash) << 1) & mask;
  while (table[slot + 1] !== 0) slot = (slot + 2) & mask;
  table[slot] = hash;
  table[slot + 1] = biasedRef;
}

/** The reference in a slot if it has this hash, else -1; without a branch. */
function refIf(table: Int32Array, slot: number, hash: number): number {
  const difference = table[slot]! ^ hash;
  return (table[slot + 1]! - 1) | ((difference | -difference) >> 31);
}

/**
 * Maps 32-bit hashes to references (integers from 0 to 2^31 - 2), many per hash: the index of every table in this package.
 *
 * Extendible hashing: a directory over the top bits of the mixed hash leads to open-addressed segments of bounded size, so that growth is
 * paid a segment at a time and never shows as a pause. Whoever owns the entries compares them; hot lookups read {@link tables} themselves:
 *
 * ```ts
 * const mixed = mixHash(hash);
 * const table = index.tables[mixed >>> index.shift]!;
 * const mask = table.length - 2;
 * for (let slot = (mixed << 1) & mask; table[slot + 1] !== 0; slot = (slot + 2) & mask) {
 *   if (table[slot] === hash && isMine(table[slot + 1]! - 1)) …
 * }
 * ```
 * Source: Fagin et al., "Extendible hashing", 1979.
 */
export class HashIndex {
  /** Directory: a table holds (hash, reference + 1) pairs, linearly probed; a zero second half ends the probe. */
  tables: Int32Array[];
  /** `mixHash(hash) >>> shift` is the place in the directory. */
  shift = 31;
  size = 0;
  private segments: Segment[];

  constructor() {
    const segment = newSegment(MIN_SEGMENT_SLOTS, 0, (MIN_SEGMENT_SLOTS * 11) >> 4);
    this.segments = [segment, segment];
    this.tables = [segment.table, segment.table];
  }

  /** Adds an entry. The caller knows that it is not there yet. `hash` must be an int32. */
  insert(hash: number, ref: number): void {
    const mixed = mixHash(hash);
    let segment = this.segments[mixed >>> this.shift]!;
    while (segment.used >= segment.limit) {
      this.grow(mixed, segment);
      segment = this.segments[mixed >>> this.shift]!;
    }
    place(segment.table, hash, ref + 1);
    segment.used++;
    this.size++;
  }

  /** Removes the entry (hash, ref), which must exist. */
  remove(hash: number, ref: number): void {
    const segment = this.segments[mixHash(hash) >>> this.shift]!;
    const table = segment.table;
    const mask = table.length - 2;
    let hole = this.slotOf(table, hash, ref);
    // Entries behind the hole move up (instead of a tombstone) unless that would put them before their first slot.
    for (let next = (hole + 2) & mask; table[next + 1] !== 0; next = (next + 2) & mask) {
      const ideal = (mixHash(table[next]!) << 1) & mask;
      if (((next - ideal) & mask) >= ((next - hole) & mask)) {
        table[hole] = table[next]!;
        table[hole + 1] = table[next + 1]!;
        hole = next;
      }
    }
    table[hole + 1] = 0;
    segment.used--;
    this.size--;
  }

  /** Points the entry (hash, ref), which must exist, to another reference. */
  repoint(hash: number, ref: number, newRef: number): void {
    const table = this.tables[mixHash(hash) >>> this.shift]!;
    table[this.slotOf(table, hash, ref) + 1] = newRef + 1;
  }

  /**
   * Writes the references of the first `count` hashes to `refs`, as far as an entry with that hash is in one of the first three slots of its probe; -1 for
   * others. Of entries with equal hashes it is any. Without branches, so that the cache misses of many lookups overlap.
   */
  first(hashes: Int32Array, count: number, refs: Int32Array): void {
    const { tables, shift } = this;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!;
      const mixed = mixHash(hash);
      const table = tables[mixed >>> shift]!;
      const mask = table.length - 2;
      const slot = (mixed << 1) & mask;
      const second = (slot + 2) & mask;
      const third = (slot + 4) & mask;
      refs[i] = Math.max(refIf(table, slot, hash), refIf(table, second, hash), refIf(table, third, hash));
    }
  }

  private slotOf(table: Int32Array, hash: number, ref: number): number {
    const mask = table.length - 2;
    let slot = (mixHash(hash) << 1) & mask;
    while (table[slot + 1] !== ref + 1) {
      if (table[slot + 1] === 0) throw new Error(`hash index: no entry (${hash}, ${ref})`);
      slot = (slot + 2) & mask;
    }
    return slot;
  }

  private grow(mixed: number, segment: Segment): void {
    const slots = segment.table.length >> 1;
    if (slots < MAX_SEGMENT_SLOTS || segment.depth >= MAX_DEPTH) {
      this.enlarge(mixed, segment, slots * 2);
    } else {
      this.split(mixed, segment);
    }
  }

  private enlarge(mixed: number, segment: Segment, slots: number): void {
    const old = segment.table;
    segment.table = new Int32Array(slots * 2);
    segment.limit = (slots * 11) >> 4;
    for (let slot = 0; slot < old.length; slot += 2) {
      if (old[slot + 1] !== 0) place(segment.table, old[slot]!, old[slot + 1]!);
    }
    this.publish(mixed, segment.depth, segment, segment);
  }

  private split(mixed: number, segment: Segment): void {
    const depth = segment.depth;
    if (depth === 32 - this.shift) this.doubleDirectory();
    const slots = segment.table.length >> 1;
    // Segments fill evenly; with one limit for all they would all be split within a moment, and that would be a pause again.
    const sixteenths = 9 + ((mixed >>> (32 - MAX_DEPTH)) & 3);
    const low = newSegment(slots, depth + 1, (slots * sixteenths) >> 4);
    const high = newSegment(slots, depth + 1, (slots * (21 - sixteenths)) >> 4);
    const old = segment.table;
    for (let slot = 0; slot < old.length; slot += 2) {
      if (old[slot + 1] === 0) continue;
      const half = ((mixHash(old[slot]!) >>> (31 - depth)) & 1) === 0 ? low : high;
      place(half.table, old[slot]!, old[slot + 1]!);
      half.used++;
    }
    this.publish(mixed, depth, low, high);
  }

  /** Enters the two halves of what was one segment of `depth` into the directory. */
  private publish(mixed: number, depth: number, low: Segment, high: Segment): void {
    const globalDepth = 32 - this.shift;
    const span = 2 ** (globalDepth - depth);
    const first = Math.floor((mixed >>> this.shift) / span) * span;
    for (let i = 0; i < span; i++) {
      const segment = i < span / 2 ? low : high;
      this.segments[first + i] = segment;
      this.tables[first + i] = segment.table;
    }
  }

  private doubleDirectory(): void {
    const segments: Segment[] = [];
    for (const segment of this.segments) segments.push(segment, segment);
    this.segments = segments;
    this.tables = segments.map((segment) => segment.table);
    this.shift--;
  }
}
