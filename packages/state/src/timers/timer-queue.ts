import type { EntryObserver } from "../heap/entry-observer.js";
import { HashIndex, mixHash } from "../heap/hash-index.js";
import { MISSING, type KeyCursor } from "../heap/key-cursor.js";
import { PAGE_MASK, PAGE_ROWS, PAGE_SHIFT, PagedFloat64, PagedInt32 } from "../heap/paged.js";
import { NamespaceNames } from "./namespace-names.js";
import { TimeHeap } from "./time-heap.js";

/**
 * The timers of one time domain: a list of timer ids for each time, and an index by (row, namespace, time) that makes them unique and removable.
 *
 * Order: by time, equal times in the order of registration; kept by snapshots (timers that come from several old subtasks and were registered
 * at equal positions go in the order of their handles). A timer holds its key's row. All arrays are paged: growth never pauses.
 */
export class TimerQueue {
  size = 0;
  /** Timer ids ever used; every id is below. An id is free when its row is negative. */
  idCount = 0;
  observer: EntryObserver | undefined = undefined;
  readonly cursor: KeyCursor;
  readonly names: NamespaceNames = new NamespaceNames();
  private readonly index: HashIndex = new HashIndex();
  private readonly times: TimeHeap = new TimeHeap();
  /** Times that hold timers of a snapshot which are not in order yet. */
  private readonly unsorted: Set<number> = new Set();
  /** By row: the time that was last registered with the void namespace, if that timer is still there; otherwise NaN. */
  private readonly lastTimes: Float64Array[] = [];
  private readonly sequences: PagedFloat64 = new PagedFloat64();
  /** Row of a timer; of a free id `-2 - next free id` (`-1` ends the list). */
  private readonly rows: PagedInt32 = new PagedInt32();
  private readonly namespaces: PagedInt32 = new PagedInt32();
  /** Name of a timer's time, and its neighbours in the list of that time, -1 at the ends. */
  private readonly timeNames: PagedInt32 = new PagedInt32();
  private readonly nexts: PagedInt32 = new PagedInt32();
  private readonly previouses: PagedInt32 = new PagedInt32();
  private freeId = -1;
  private nextSequence = 0;
  /** Name of the time that a timer was last added to, or -1. */
  private recentName = -1;

  constructor(cursor: KeyCursor) {
    this.cursor = cursor;
  }

  /** Registers a timer for the current key; false when it is there already. */
  register(namespace: string, timeMs: number): boolean {
    const cursor = this.cursor;
    let row = cursor.row >= 0 ? cursor.row : cursor.resolve();
    if (row >= 0) {
      if (namespace === "" && this.lastTimes[row >>> PAGE_SHIFT]?.[row & PAGE_MASK] === timeMs) return false;
      const known = this.names.find(namespace);
      if (known >= 0 && this.find(row, known, timeMs) >= 0) return false;
    } else {
      row = cursor.resolveForWrite();
    }
    this.add(row, namespace, timeMs, this.nextSequence++);
    return true;
  }

  /** Removes a timer of the current key; false when there is none. */
  delete(namespace: string, timeMs: number): boolean {
    const cursor = this.cursor;
    const row = cursor.row === MISSING ? MISSING : cursor.row >= 0 ? cursor.row : cursor.resolve();
    const known = this.names.find(namespace);
    const id = row < 0 || known < 0 ? -1 : this.find(row, known, timeMs);
    if (id < 0) return false;
    this.remove(id);
    return true;
  }

  /** Enters a timer of a snapshot. */
  restore(row: number, namespace: string, timeMs: number, sequence: number): void {
    this.nextSequence = Math.max(this.nextSequence, sequence + 1);
    this.add(row, namespace, timeMs, sequence);
  }

  /** The first timer's time; `undefined` when there is none. */
  peekTime(): number | undefined {
    return this.times.firstTime();
  }

  /** Id of the first timer. */
  peek(): number {
    const first = this.times.first();
    if (this.unsorted.size > 0 && this.unsorted.delete(first)) this.sort(first);
    return this.times.heads.get(first);
  }

  timeOf(id: number): number {
    return this.times.timeOf(this.timeNames.get(id));
  }

  namespaceOf(id: number): string {
    return this.names.name(this.namespaces.get(id));
  }

  rowOf(id: number): number {
    return this.rows.get(id);
  }

  sequenceOf(id: number): number {
    return this.sequences.get(id);
  }

  /** Removes a timer by id and lets go of its row. */
  remove(id: number): void {
    if (this.observer !== undefined) this.observer.beforeAccess(id);
    const row = this.rows.get(id);
    const namespace = this.namespaces.get(id);
    const timeMs = this.timeOf(id);
    this.index.remove(timerHash(row, namespace, timeMs), id);
    this.unlink(id);
    this.size--;
    if (namespace === 0) {
      const page = this.lastTimes[row >>> PAGE_SHIFT]!;
      if (page[row & PAGE_MASK] === timeMs) page[row & PAGE_MASK] = NaN;
    }
    this.names.release(namespace);
    this.rows.set(id, -2 - this.freeId);
    this.freeId = id;
    this.cursor.release(row);
  }

  /** Reads what {@link register} looks at first for the first `count` of `rows`: brings it into the processor's cache. Returns a number that means nothing. */
  touchAll(rows: Int32Array, count: number): number {
    const { lastTimes } = this;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      if (row >>> PAGE_SHIFT < lastTimes.length) sum += lastTimes[row >>> PAGE_SHIFT]![row & PAGE_MASK]!;
    }
    return sum;
  }

  private find(row: number, namespace: number, timeMs: number): number {
    const hash = timerHash(row, namespace, timeMs);
    const index = this.index;
    const mixed = mixHash(hash);
    const table = index.tables[mixed >>> index.shift]!;
    const mask = table.length - 2;
    for (let slot = (mixed << 1) & mask; ; slot = (slot + 2) & mask) {
      const biased = table[slot + 1]!;
      if (biased === 0) return -1;
      if (table[slot] !== hash) continue;
      const id = biased - 1;
      if (this.rows.get(id) === row && this.namespaces.get(id) === namespace && this.timeOf(id) === timeMs) return id;
    }
  }

  private add(row: number, namespace: string, timeMs: number, sequence: number): void {
    const id = this.takeId();
    const namespaceId = this.names.acquire(namespace);
    this.sequences.set(id, sequence);
    this.rows.set(id, row);
    this.namespaces.set(id, namespaceId);
    this.cursor.table.hold(row);
    this.index.insert(timerHash(row, namespaceId, timeMs), id);
    this.append(id, timeMs);
    this.size++;
    if (namespaceId === 0) this.setLastTime(row, timeMs);
    if (this.observer !== undefined) this.observer.taken(id);
  }

  private takeId(): number {
    if (this.freeId >= 0) {
      const id = this.freeId;
      this.freeId = -2 - this.rows.get(id);
      return id;
    }
    const id = this.idCount++;
    for (const array of [this.rows, this.namespaces, this.timeNames, this.nexts, this.previouses]) array.reach(id);
    this.sequences.reach(id);
    return id;
  }

  private setLastTime(row: number, timeMs: number): void {
    const { lastTimes } = this;
    while (lastTimes.length <= row >>> PAGE_SHIFT) lastTimes.push(new Float64Array(PAGE_ROWS).fill(NaN));
    lastTimes[row >>> PAGE_SHIFT]![row & PAGE_MASK] = timeMs;
  }

  /** Puts a timer at the end of its time's list. */
  private append(id: number, timeMs: number): void {
    const { times } = this;
    let name = this.recentName;
    if (name < 0 || times.timeOf(name) !== timeMs) {
      name = times.find(timeMs);
      if (name < 0) name = times.add(timeMs);
      this.recentName = name;
    }
    const last = times.tails.get(name);
    this.timeNames.set(id, name);
    this.previouses.set(id, last);
    this.nexts.set(id, -1);
    times.tails.set(name, id);
    if (last < 0) times.heads.set(name, id);
    else {
      this.nexts.set(last, id);
      // Only timers of a snapshot come out of order.
      if (this.cameBefore(id, last)) this.unsorted.add(name);
    }
  }

  private unlink(id: number): void {
    const { times } = this;
    const name = this.timeNames.get(id);
    const previous = this.previouses.get(id);
    const next = this.nexts.get(id);
    if (previous >= 0) this.nexts.set(previous, next);
    else times.heads.set(name, next);
    if (next >= 0) this.previouses.set(next, previous);
    else times.tails.set(name, previous);
    if (previous >= 0 || next >= 0) return;
    times.remove(name);
    this.unsorted.delete(name);
    if (name === this.recentName) this.recentName = -1;
  }

  /** Puts the list of a time in order. */
  private sort(name: number): void {
    const { heads, tails } = this.times;
    const ids: number[] = [];
    for (let id = heads.get(name); id >= 0; id = this.nexts.get(id)) ids.push(id);
    let previous = -1;
    for (const id of this.inOrder(ids)) {
      this.previouses.set(id, previous);
      if (previous < 0) heads.set(name, id);
      else this.nexts.set(previous, id);
      previous = id;
    }
    this.nexts.set(previous, -1);
    tails.set(name, previous);
  }

  /** Timers of one time, given in order of their ids, in the order in which they fire. */
  private inOrder(ids: number[]): number[] {
    let lowest = Infinity;
    let highest = -Infinity;
    for (const id of ids) {
      const sequence = this.sequences.get(id);
      if (sequence < lowest) lowest = sequence;
      if (sequence > highest) highest = sequence;
    }
    const count = ids.length;
    if ((highest - lowest + 1) * count > Number.MAX_SAFE_INTEGER) return ids.sort((a, b) => (this.cameBefore(a, b) ? -1 : 1));
    // Ten times as fast as with a comparison of ours: there may be a million of them, and nothing else runs in the meantime.
    const ranks = Float64Array.from(ids, (id, i) => (this.sequences.get(id) - lowest) * count + i).sort();
    return Array.from(ranks, (rank) => ids[rank % count]!);
  }

  /** Order of timers of equal time. */
  private cameBefore(a: number, b: number): boolean {
    const sequenceA = this.sequences.get(a);
    const sequenceB = this.sequences.get(b);
    return sequenceA !== sequenceB ? sequenceA < sequenceB : a < b;
  }
}

function timerHash(row: number, namespace: number, timeMs: number): number {
  const low = timeMs | 0;
  const high = Math.floor(timeMs / 0x1_0000_0000) | 0;
  let hash = Math.imul(row, 0x85ebca6b) ^ Math.imul(low, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f) ^ Math.imul(high, 0x165667b1) ^ Math.imul(namespace, 0x9e3779b1);
  return hash ^ (hash >>> 13);
}
