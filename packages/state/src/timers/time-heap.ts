import { HashIndex, mixHash } from "../heap/hash-index.js";
import { PagedFloat64, PagedInt32 } from "../heap/paged.js";

const ARITY_SHIFT = 2;

/**
 * The distinct times of a timer queue, each with a small integer for a name: a 4-ary heap, and an index by time.
 *
 * Timers mostly share their times (the end of a window, a whole minute), so that this heap is far smaller than one of timers. All arrays are
 * paged: growth never pauses.
 */
export class TimeHeap {
  size = 0;
  /** First and last timer of a time; kept by the owner. */
  readonly heads: PagedInt32 = new PagedInt32();
  readonly tails: PagedInt32 = new PagedInt32();
  private readonly times: PagedFloat64 = new PagedFloat64();
  /** Where in the heap a time is; of a free name `-2 - next free name` (`-1` ends the list). */
  private readonly places: PagedInt32 = new PagedInt32();
  private readonly index: HashIndex = new HashIndex();
  private readonly heap: PagedInt32 = new PagedInt32();
  /** Times by place in the heap: what is compared lies side by side. */
  private readonly heapTimes: PagedFloat64 = new PagedFloat64();
  private count = 0;
  private free = -1;

  /** The first time's name. */
  first(): number {
    return this.heap.get(0);
  }

  /** The first time; `undefined` when there is none. */
  firstTime(): number | undefined {
    return this.size === 0 ? undefined : this.heapTimes.get(0);
  }

  timeOf(name: number): number {
    return this.times.get(name);
  }

  /** The name of a time, or -1. */
  find(timeMs: number): number {
    const hash = timeHash(timeMs);
    const { index, times } = this;
    const mixed = mixHash(hash);
    const table = index.tables[mixed >>> index.shift]!;
    const mask = table.length - 2;
    for (let slot = (mixed << 1) & mask; ; slot = (slot + 2) & mask) {
      const biased = table[slot + 1]!;
      if (biased === 0) return -1;
      if (table[slot] === hash && times.get(biased - 1) === timeMs) return biased - 1;
    }
  }

  /** Adds a time that {@link find} did not find; head and tail are -1. */
  add(timeMs: number): number {
    let name = this.free;
    if (name >= 0) this.free = -2 - this.places.get(name);
    else {
      name = this.count++;
      for (const array of [this.heads, this.tails, this.places, this.heap]) array.reach(name);
      this.times.reach(name);
      this.heapTimes.reach(name);
    }
    this.times.set(name, timeMs);
    this.heads.set(name, -1);
    this.tails.set(name, -1);
    this.index.insert(timeHash(timeMs), name);
    this.siftUp(this.size++, name);
    return name;
  }

  remove(name: number): void {
    const place = this.places.get(name);
    this.index.remove(timeHash(this.times.get(name)), name);
    const last = this.heap.get(--this.size);
    if (place !== this.size && this.siftDown(place, last) === place) this.siftUp(place, last);
    this.places.set(name, -2 - this.free);
    this.free = name;
  }

  private put(place: number, timeMs: number, name: number): void {
    this.heapTimes.set(place, timeMs);
    this.heap.set(place, name);
    this.places.set(name, place);
  }

  private siftUp(from: number, name: number): void {
    const timeMs = this.times.get(name);
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> ARITY_SHIFT;
      const parentTime = this.heapTimes.get(parent);
      if (timeMs > parentTime) break;
      this.put(place, parentTime, this.heap.get(parent));
      place = parent;
    }
    this.put(place, timeMs, name);
  }

  private siftDown(from: number, name: number): number {
    const timeMs = this.times.get(name);
    let place = from;
    for (;;) {
      const firstChild = (place << ARITY_SHIFT) + 1;
      if (firstChild >= this.size) break;
      const end = Math.min(firstChild + (1 << ARITY_SHIFT), this.size);
      let best = firstChild;
      let bestTime = this.heapTimes.get(firstChild);
      for (let child = firstChild + 1; child < end; child++) {
        const time = this.heapTimes.get(child);
        if (time < bestTime) {
          best = child;
          bestTime = time;
        }
      }
      if (timeMs < bestTime) break;
      this.put(place, bestTime, this.heap.get(best));
      place = best;
    }
    this.put(place, timeMs, name);
    return place;
  }
}

function timeHash(timeMs: number): number {
  const high = Math.floor(timeMs / 0x1_0000_0000) | 0;
  const hash = Math.imul(timeMs | 0, 0xc2b2ae35) ^ Math.imul(high, 0x165667b1);
  return hash ^ (hash >>> 15);
}
