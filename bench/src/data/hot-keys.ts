import { below, random } from "./random.js";

export interface Touch {
  readonly index: number;
  readonly key: number;
}

/** A key's count is an output each time it is a multiple of this. */
export const HOT_EMIT = 16;

/** Records during which the same 1 % of the keys is touched. */
const PHASE = 2_000_000;

/** The key of a record: first each key once, then only one key in a hundred, other ones in each phase. */
export function hotKey(index: number, keys: number): number {
  if (index < keys) return index;
  const hot = Math.max(1, Math.floor(keys / 100));
  const phase = Math.floor((index - keys) / PHASE);
  return (phase * hot + below(random(index, 0), hot)) % keys;
}
