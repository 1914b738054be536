import { fold, foldLong, HASH_START, type Checksum } from "../data/checksum.js";
import { reading, READING_DISORDER_MS, type Reading } from "../data/records.js";
import type { Loop } from "./loop.js";

const BOUND_MS = 500;
const KEEP_MS = READING_DISORDER_MS + BOUND_MS;

/** Both sides are read in turns; each record meets what the other side's buffer of its key holds. */
export const run: Loop = ({ records, keys = 10_000 }, out) => {
  const half = Math.floor(records / 2);
  const lefts: Reading[][] = Array.from({ length: keys }, () => []);
  const rights: Reading[][] = Array.from({ length: keys }, () => []);
  for (let i = 0; i < half; i++) {
    const left = reading(i, keys, 10, 0);
    for (const other of rights[left.key]!) pair(left, other, out);
    keep(lefts[left.key]!, left, i);
    const right = reading(i, keys, 10, 8);
    for (const other of lefts[right.key]!) pair(other, right, out);
    keep(rights[right.key]!, right, i);
  }
};

function pair(left: Reading, right: Reading, out: Checksum): void {
  if (Math.abs(left.time - right.time) > BOUND_MS) return;
  const ids = fold(fold(fold(HASH_START, left.key), left.index), right.index);
  out.add(fold(foldLong(ids, Math.max(left.time, right.time)), left.value + right.value));
}

/** `newest` is the index of the newest record: no record after it is older than its time less the disorder. */
function keep(buffer: Reading[], record: Reading, newest: number): void {
  const oldestMs = newest / 10 - KEEP_MS;
  while (buffer.length > 0 && buffer[0]!.time < oldestMs) buffer.shift();
  buffer.push(record);
}
