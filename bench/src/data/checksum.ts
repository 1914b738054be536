/*
 * The checksum of bench/peers/flink/GENERATORS.md: each output's fields are folded into a hash, and the hashes are added up, so that neither order
 * nor parallelism matters.
 */

export const HASH_START: number = 0x811c9dc5 | 0;
const MODULUS = 2 ** 52;

export function fold(hash: number, word: number): number {
  const h = Math.imul(hash ^ word, 0x9e3779b1);
  return h ^ (h >>> 15);
}

/** `value` is an integer in [0, 2^53). */
export function foldLong(hash: number, value: number): number {
  return fold(fold(hash, value | 0), Math.floor(value / 2 ** 32) | 0);
}

export function foldText(hash: number, text: string): number {
  const { length } = text;
  let h = fold(hash, length);
  if (length <= 32) {
    for (let i = 0; i < length; i++) h = fold(h, text.charCodeAt(i));
    return h;
  }
  for (let i = 0; i < length; i += 8) h = fold(h, text.charCodeAt(i));
  return fold(h, text.charCodeAt(length - 1));
}

/** Adds two sums modulo 2^52; the result is exact. */
export function addSums(a: number, b: number): number {
  return (a + b) % MODULUS;
}

/** Adds up the hashes of outputs. */
export class Checksum {
  private total = 0;
  private count = 0;

  /** `hash` is taken as an unsigned number. */
  add(hash: number): void {
    const total = this.total + (hash >>> 0);
    this.total = total >= MODULUS ? total - MODULUS : total;
    this.count++;
  }
  get sum(): number {
    return this.total;
  }
  get outputs(): number {
    return this.count;
  }
}
