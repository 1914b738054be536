/** Positions of a block, as a shift: few enough that looking through one costs little, enough that bounds stay in the cache. */
export const BLOCK_SHIFT = 7;
/** Blocks of a group, as a shift. */
const GROUP_SHIFT = 6;

/**
 * Tells which positions of a dense table may be due, in place of a timer for each: a lower bound of the times of a block of positions, one of a group of
 * blocks, and one of all.
 *
 * Times that are put off leave bounds where they are. A block that looks due is looked through, and gets an exact bound from that. A watermark with nothing
 * due costs one comparison, and one with something due costs reading blocks in order, which is cheap, however often their times were put off.
 */
export class DueBounds {
  /** Nothing is due before. */
  earliestMs: number = Number.POSITIVE_INFINITY;
  private blocks: Float64Array = new Float64Array(1 << GROUP_SHIFT).fill(Number.POSITIVE_INFINITY);
  private groups: Float64Array = new Float64Array(1).fill(Number.POSITIVE_INFINITY);

  /** A position is due at a time, which may be earlier than it was. */
  lower(position: number, dueMs: number): void {
    const block = position >>> BLOCK_SHIFT;
    if (block >= this.blocks.length) this.grow(block);
    if (dueMs >= this.blocks[block]!) return;
    this.blocks[block] = dueMs;
    const group = block >>> GROUP_SHIFT;
    if (dueMs < this.groups[group]!) this.groups[group] = dueMs;
    if (dueMs < this.earliestMs) this.earliestMs = dueMs;
  }

  /** Nothing in a block is due before. */
  raise(block: number, dueMs: number): void {
    this.blocks[block] = dueMs;
  }

  /** The last block before `before`, which was the last answer or is `Infinity`, of which something may be due at a time; -1 when there is none. */
  lastDue(timeMs: number, before: number): number {
    const { blocks, groups } = this;
    let block = Math.min(before, blocks.length) - 1;
    if (before < blocks.length && before % (1 << GROUP_SHIFT) === 0) this.tighten(before >>> GROUP_SHIFT, before);
    while (block >= 0) {
      const group = block >>> GROUP_SHIFT;
      const first = group << GROUP_SHIFT;
      if (groups[group]! <= timeMs) {
        for (; block >= first; block--) if (blocks[block]! <= timeMs) return block;
        this.tighten(group, first);
      }
      block = first - 1;
    }
    let earliestMs = Number.POSITIVE_INFINITY;
    for (let group = 0; group < groups.length; group++) earliestMs = Math.min(earliestMs, groups[group]!);
    this.earliestMs = earliestMs;
    return -1;
  }

  private tighten(group: number, first: number): void {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (let block = first; block < first + (1 << GROUP_SHIFT); block++) earliestMs = Math.min(earliestMs, this.blocks[block]!);
    this.groups[group] = earliestMs;
  }

  private grow(block: number): void {
    const groups = Math.max(this.groups.length * 2, (block >>> GROUP_SHIFT) + 1);
    const larger = new Float64Array(groups << GROUP_SHIFT).fill(Number.POSITIVE_INFINITY);
    larger.set(this.blocks);
    this.blocks = larger;
    const more = new Float64Array(groups).fill(Number.POSITIVE_INFINITY);
    more.set(this.groups);
    this.groups = more;
  }
}
