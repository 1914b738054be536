/*
 * The arithmetic of bench/peers/flink/GENERATORS.md: the same bits as in Java.
 */

/** A 32-bit signed random number of a record's field. */
export function random(index: number, field: number): number {
  let x = ((index ^ Math.imul(field, 0x85ebca6b)) + 0x9e3779b9) | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x21f0aaad);
  x ^= x >>> 15;
  x = Math.imul(x, 0x735a2d97);
  return x ^ (x >>> 15);
}

/** Scales a random number to [0, bound). `bound` is at most 2^21. */
export function below(number: number, bound: number): number {
  return Math.floor(((number >>> 0) * bound) / 2 ** 32);
}

/** Event time of record `index` in ms: `perMs` records a ms, up to `disorderMs` out of order. */
export function eventTime(index: number, perMs: number, disorderMs: number, field: number): number {
  return Math.floor(index / perMs) + disorderMs - below(random(index, field), disorderMs + 1);
}
