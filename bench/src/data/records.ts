import { below, eventTime, random } from "./random.js";

/*
 * The records of bench/peers/flink/GENERATORS.md, as objects.
 */

export interface Triple {
  readonly index: number;
  readonly a: number;
  readonly b: number;
}
export function triple(index: number): Triple {
  return { index, a: random(index, 0), b: random(index, 1) };
}

export interface Purchase {
  readonly key: string;
  readonly label: string;
  readonly time: number;
  readonly amount: number;
  readonly quantity: number;
  readonly price: number;
}
export const PURCHASE_DISORDER_MS = 5000;
/** There are few labels, so they are made once, on every side: making text is not what the work is about. */
const labels: readonly string[] = Array.from({ length: 1000 }, (_, label) => (label % 100 === 7 ? `标签-${label}` : `label-${label}`));
export function purchase(index: number, keys: number): Purchase {
  const key = below(random(index, 0), keys);
  return {
    key: key % 100 === 7 ? `ключ-${key}` : `user-${key}`,
    label: labels[below(random(index, 1), 1000)]!,
    time: eventTime(index, 100, PURCHASE_DISORDER_MS, 2),
    amount: below(random(index, 3), 1000),
    quantity: below(random(index, 4), 10),
    price: below(random(index, 5), 10_000) / 100,
  };
}

export interface Reading {
  readonly index: number;
  readonly key: number;
  readonly time: number;
  readonly value: number;
}
export const READING_DISORDER_MS = 1000;
export function reading(index: number, keys: number, perMs: number, salt: number): Reading {
  return {
    index,
    key: below(random(index, salt), keys),
    time: eventTime(index, perMs, READING_DISORDER_MS, salt + 2),
    value: below(random(index, salt + 1), 1000),
  };
}

export interface Payload {
  readonly index: number;
  readonly a: number;
  readonly text: string;
}
const texts: readonly string[] = Array.from({ length: 1024 }, (_, p) =>
  String.fromCharCode(...Array.from({ length: 88 }, (_, j) => 33 + below(random(p * 88 + j, 7), 94))));
export function payload(index: number): Payload {
  return { index, a: random(index, 0), text: texts[random(index, 1) & 1023]! };
}
