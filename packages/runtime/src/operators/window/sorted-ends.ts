/** The ends of the slices (or windows) that exist, ascending. Most are added at the end and removed at the start. */
export class SortedEnds {
  readonly ends: number[];

  constructor(ends: readonly number[]) {
    this.ends = [...ends];
  }

  add(end: number): void {
    const ends = this.ends;
    let position = ends.length;
    while (position > 0 && ends[position - 1]! > end) position--;
    if (position > 0 && ends[position - 1] === end) return;
    ends.splice(position, 0, end);
  }

  /** Index of the first end greater than `bound`; the length when there is none. */
  firstAfter(bound: number): number {
    const ends = this.ends;
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ends[middle]! > bound) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** Removes the first `count`. */
  removeFirst(count: number): void {
    if (count > 0) this.ends.splice(0, count);
  }
}
