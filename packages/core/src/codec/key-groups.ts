import { MillraceError } from "../errors/millrace-error.js";

/** The largest number of key groups. */
export const MAX_MAX_PARALLELISM: number = 32768;
const MIN_MAX_PARALLELISM = 128;

/** The key group of a key's hash, in [0, maxParallelism): the hash's lower 31 bits modulo `maxParallelism`. */
export function keyGroupOf(hash: number, maxParallelism: number): number {
  return (hash & 0x7fff_ffff) % maxParallelism;
}

/** First and last key group (both inclusive) of a subtask; empty (last < first) never occurs while parallelism ≤ maxParallelism. Flink's formula. */
export function keyGroupRange(maxParallelism: number, parallelism: number, subtask: number): [first: number, last: number] {
  checkParallelism(maxParallelism, parallelism);
  return [
    Math.floor((subtask * maxParallelism + parallelism - 1) / parallelism),
    Math.floor(((subtask + 1) * maxParallelism - 1) / parallelism),
  ];
}

/** The subtask that owns a key group; the inverse of {@link keyGroupRange}. Flink's formula. */
export function operatorIndexForKeyGroup(maxParallelism: number, parallelism: number, keyGroup: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism);
}

/** Flink's rule: one and a half times the parallelism, rounded up to a power of two, at least 128 and at most 32768. */
export function defaultMaxParallelism(parallelism: number): number {
  let power = 1;
  while (power < parallelism + Math.floor(parallelism / 2)) power *= 2;
  return Math.min(Math.max(power, MIN_MAX_PARALLELISM), MAX_MAX_PARALLELISM);
}

function checkParallelism(maxParallelism: number, parallelism: number): void {
  if (parallelism >= 1 && parallelism <= maxParallelism && maxParallelism <= MAX_MAX_PARALLELISM) return;
  throw new MillraceError({
    code: "PARALLELISM_INVALID",
    message: `parallelism ${parallelism} does not go with a maximum parallelism of ${maxParallelism}`,
    hint: `1 ≤ parallelism ≤ max parallelism ≤ ${MAX_MAX_PARALLELISM} must hold`,
  });
}
