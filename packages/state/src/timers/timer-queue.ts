import type { EntryObserver } from "../heap/entry-observer.js";
import { HashIndex, mixHash } from "../heap/hash-index.js";
import { MISSING, type KeyCursor } from "../heap/key-cursor.js";
import { PagedFloat64, PagedInt32 } from "../heap/paged.js";
import { NamespaceNames } from "./namespace-names.js";

const ARITY_SHIFT = 2;

/**
 * The timers of one time domain: a 4-ary heap over timer ids, and an index by (row, namespace, time) that makes them unique and removable.
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
  private readonly times: PagedFloat64 = new PagedFloat64();
  private readonly sequences: PagedFloat64 = new PagedFloat64();
  /** Row of a timer; of a free id `-2 - next free id` (`-1` ends the list). */
  private readonly rows: PagedInt32 = new PagedInt32();
  private readonly namespaces: PagedInt32 = new PagedInt32();
  /** Where in the heap a timer is. */
  private readonly places: PagedInt32 = new PagedInt32();
  private readonly heap: PagedInt32 = new PagedInt32();
  /** Times by place in the heap: what is compared lies side by side. */
  private readonly heapTimes: PagedFloat64 = new PagedFloat64();
  private freeId = -1;
  private nextSequence = 0;

  constructor(cursor: KeyCursor) {
    this.cursor = cursor;
  }

  /** Registers a timer for the current key; false when it is there already. */
  register(namespace: string, timeMs: number): boolean {
    const cursor = this.cursor;
    let row = cursor.row >= 0 ? cursor.row : cursor.resolve();
    if (row >= 0) {
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
    return this.size === 0 ? undefined : this.heapTimes.get(0);
  }

  /** Id of the first timer. */
  peek(): number {
    return this.heap.get(0);
  }

  timeOf(id: number): number {
    return this.times.get(id);
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
    this.index.remove(timerHash(row, namespace, this.times.get(id)), id);
    this.removeFromHeap(this.places.get(id));
    this.names.release(namespace);
    this.rows.set(id, -2 - this.freeId);
    this.freeId = id;
    this.cursor.release(row);
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
      if (this.rows.get(id) === row && this.namespaces.get(id) === namespace && this.times.get(id) === timeMs) return id;
    }
  }

  private add(row: number, namespace: string, timeMs: number, sequence: number): void {
    const id = this.takeId();
    const namespaceId = this.names.acquire(namespace);
    this.times.set(id, timeMs);
    this.sequences.set(id, sequence);
    this.rows.set(id, row);
    this.namespaces.set(id, namespaceId);
    this.cursor.table.hold(row);
    this.index.insert(timerHash(row, namespaceId, timeMs), id);
    this.heap.reach(this.size);
    this.heapTimes.reach(this.size);
    this.siftUp(this.size++, id);
    if (this.observer !== undefined) this.observer.taken(id);
  }

  private takeId(): number {
    if (this.freeId >= 0) {
      const id = this.freeId;
      this.freeId = -2 - this.rows.get(id);
      return id;
    }
    const id = this.idCount++;
    for (const array of [this.rows, this.namespaces, this.places]) array.reach(id);
    this.times.reach(id);
    this.sequences.reach(id);
    return id;
  }

  private removeFromHeap(place: number): void {
    const last = this.heap.get(--this.size);
    if (place === this.size) return;
    const placed = this.siftDown(place, last);
    if (placed === place) this.siftUp(place, last);
  }

  /** Order of timers of equal time. */
  private cameBefore(a: number, b: number): boolean {
    const sequenceA = this.sequences.get(a);
    const sequenceB = this.sequences.get(b);
    return sequenceA !== sequenceB ? sequenceA < sequenceB : a < b;
  }

  private put(place: number, timeMs: number, id: number): void {
    this.heapTimes.set(place, timeMs);
    this.heap.set(place, id);
    this.places.set(id, place);
  }

  private siftUp(from: number, id: number): void {
    const timeMs = this.times.get(id);
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> ARITY_SHIFT;
      const parentTime = this.heapTimes.get(parent);
      if (timeMs > parentTime) break;
      const parentId = this.heap.get(parent);
      if (timeMs === parentTime && !this.cameBefore(id, parentId)) break;
      this.put(place, parentTime, parentId);
      place = parent;
    }
    this.put(place, timeMs, id);
  }

  private siftDown(from: number, id: number): number {
    const timeMs = this.times.get(id);
    let place = from;
    for (;;) {
      const firstChild = (place << ARITY_SHIFT) + 1;
      if (firstChild >= this.size) break;
      const end = Math.min(firstChild + (1 << ARITY_SHIFT), this.size);
      let best = firstChild;
      let bestTime = this.heapTimes.get(firstChild);
      for (let child = firstChild + 1; child < end; child++) {
        const time = this.heapTimes.get(child);
        if (time < bestTime || (time === bestTime && this.cameBefore(this.heap.get(child), this.heap.get(best)))) {
          best = child;
          bestTime = time;
        }
      }
      const bestId = this.heap.get(best);
      if (timeMs < bestTime || (timeMs === bestTime && this.cameBefore(id, bestId))) break;
      this.put(place, bestTime, bestId);
      place = best;
    }
    this.put(place, timeMs, id);
    return place;
  }
}

function timerHash(row: number, namespace: number, timeMs: number): number {
  const low = timeMs | 0;
  const high = Math.floor(timeMs / 0x1_0000_0000) | 0;
  let hash = Math.imul(row, 0x85ebca6b) ^ Math.imul(low, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x27d4eb2f) ^ Math.imul(high, 0x165667b1) ^ Math.imul(namespace, 0x9e3779b1);
  return hash ^ (hash >>> 13);
}
