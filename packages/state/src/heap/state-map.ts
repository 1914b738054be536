import { detachValue, encodeKey } from "@millrace/core";

/**
 * The payload of a map state: entries in insertion order, keys compared as key equality says (structural keys by content).
 *
 * Plain keys live in a `Map` as they are; structural ones beside it under their encoded form.
 */
export class StateMap<K = unknown, V = unknown> {
  private readonly plain: Map<K, V> = new Map();
  private structural: Map<string, readonly [K, V]> | undefined = undefined;

  get size(): number {
    return this.plain.size + (this.structural?.size ?? 0);
  }

  get(key: K): V | undefined {
    if (isStructural(key)) return this.structural?.get(encodedKey(key))?.[1];
    return this.plain.get(key);
  }

  has(key: K): boolean {
    return isStructural(key) ? this.structural?.has(encodedKey(key)) === true : this.plain.has(key);
  }

  set(key: K, value: V): void {
    if (isStructural(key)) (this.structural ??= new Map()).set(encodedKey(key), [detachValue(key), value]);
    else if (typeof key === "string" && !this.plain.has(key)) this.plain.set(detachValue(key), value);
    else this.plain.set(key, value);
  }

  delete(key: K): boolean {
    return isStructural(key) ? this.structural?.delete(encodedKey(key)) === true : this.plain.delete(key);
  }

  *entries(): IterableIterator<readonly [K, V]> {
    yield* this.plain.entries();
    if (this.structural !== undefined) yield* this.structural.values();
  }
}

function isStructural(key: unknown): boolean {
  return typeof key === "object" && key !== null;
}

function encodedKey(key: unknown): string {
  const bytes = encodeKey(key);
  let text = "";
  for (let i = 0; i < bytes.length; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
