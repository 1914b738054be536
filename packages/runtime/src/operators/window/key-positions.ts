import { keysEqual } from "@millrace/core";

/** Numbers keys densely from 0, for arrays kept beside it: an open-addressed table over (key, hash). Not part of any state. */
export class KeyPositions {
  readonly keys: unknown[] = [];
  readonly hashes: number[] = [];
  /** Position + 1 by slot, linearly probed; 0 ends a probe. */
  private table: Int32Array = new Int32Array(16);

  get size(): number {
    return this.keys.length;
  }

  /** Position of a key, or -1. */
  find(key: unknown, hash: number): number {
    const table = this.table;
    const mask = table.length - 1;
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const position = table[slot]! - 1;
      if (position < 0) return -1;
      if (this.hashes[position] === hash && (this.keys[position] === key || keysEqual(this.keys[position], key))) return position;
    }
  }

  /** Adds a key that `find` did not find; its position is the old size. */
  add(key: unknown, hash: number): number {
    const position = this.keys.length;
    this.keys.push(key);
    this.hashes.push(hash);
    if (position * 2 >= this.table.length) this.grow();
    else this.place(hash, position);
    return position;
  }

  /** Removes a position; the last key moves there. */
  remove(position: number): void {
    const last = this.keys.length - 1;
    this.vacate(this.slotOf(position));
    if (position !== last) {
      this.table[this.slotOf(last)] = position + 1;
      this.keys[position] = this.keys[last];
      this.hashes[position] = this.hashes[last]!;
    }
    this.keys.pop();
    this.hashes.pop();
  }

  private slotOf(position: number): number {
    const table = this.table;
    const mask = table.length - 1;
    let slot = spread(this.hashes[position]!) & mask;
    while (table[slot] !== position + 1) slot = (slot + 1) & mask;
    return slot;
  }

  /** Entries behind the hole move up unless that would put them before their first slot. */
  private vacate(slot: number): void {
    const table = this.table;
    const mask = table.length - 1;
    let hole = slot;
    for (let next = (hole + 1) & mask; table[next] !== 0; next = (next + 1) & mask) {
      const first = spread(this.hashes[table[next]! - 1]!) & mask;
      if (((next - first) & mask) >= ((next - hole) & mask)) {
        table[hole] = table[next]!;
        hole = next;
      }
    }
    table[hole] = 0;
  }

  private place(hash: number, position: number): void {
    const table = this.table;
    const mask = table.length - 1;
    let slot = spread(hash) & mask;
    while (table[slot] !== 0) slot = (slot + 1) & mask;
    table[slot] = position + 1;
  }

  private grow(): void {
    this.table = new Int32Array(this.table.length * 2);
    for (let position = 0; position < this.hashes.length; position++) this.place(this.hashes[position]!, position);
  }
}

function spread(hash: number): number {
  const mixed = Math.imul(hash, 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
