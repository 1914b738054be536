import { detachValue, encodeKey } from "@millrace/core";

/** Up to here a map is a flat list: quicker than hashing, and a quarter of the memory. */
const MAX_FLAT = 8;

/**
 * The payload of a map state: entries in insertion order, keys compared as key equality says (structural keys by content).
 *
 * Plain keys live as they are, few of them in a list and many in a `Map`; structural ones beside them under their encoded form.
 */
export class StateMap<K = unknown, V = unknown> {
  /** Key, value, key, value, …; empty once there is {@link plain}. */
  private readonly flat: unknown[] = [];
  private plain: Map<K, V> | undefined = undefined;
  private structural: Map<string, readonly [K, V]> | undefined = undefined;

  get size(): number {
    return (this.plain === undefined ? this.flat.length >> 1 : this.plain.size) + (this.structural === undefined ? 0 : this.structural.size);
  }

  get(key: K): V | undefined {
    if (isStructural(key)) return this.structural?.get(encodedKey(key))?.[1];
    if (this.plain !== undefined) return this.plain.get(key);
    const at = this.indexOf(key);
    return at < 0 ? undefined : (this.flat[at + 1] as V);
  }

  has(key: K): boolean {
    if (isStructural(key)) return this.structural?.has(encodedKey(key)) === true;
    return this.plain === undefined ? this.indexOf(key) >= 0 : this.plain.has(key);
  }

  set(key: K, value: V): void {
    if (isStructural(key)) (this.structural ??= new Map()).set(encodedKey(key), [detachValue(key), value]);
    else if (this.plain === undefined) this.setFlat(key, value);
    else if (typeof key === "string" && !this.plain.has(key)) this.plain.set(detachValue(key), value);
    else this.plain.set(key, value);
  }

  delete(key: K): boolean {
    if (isStructural(key)) return this.structural?.delete(encodedKey(key)) === true;
    if (this.plain !== undefined) return this.plain.delete(key);
    const { flat } = this;
    const at = this.indexOf(key);
    if (at < 0) return false;
    for (let i = at; i < flat.length - 2; i++) flat[i] = flat[i + 2];
    flat.length -= 2;
    return true;
  }

  /** As of a `Map`: entries may be set and deleted on the way. */
  *entries(): IterableIterator<readonly [K, V]> {
    yield* this.hashed().entries();
    if (this.structural !== undefined) yield* this.structural.values();
  }

  /** The entries as they are now. */
  toArray(): (readonly [K, V])[] {
    const entries: (readonly [K, V])[] = [];
    if (this.plain !== undefined) for (const entry of this.plain) entries.push(entry);
    for (let i = 0; i < this.flat.length; i += 2) entries.push([this.flat[i] as K, this.flat[i + 1] as V]);
    if (this.structural !== undefined) for (const entry of this.structural.values()) entries.push(entry);
    return entries;
  }

  private indexOf(key: K): number {
    const { flat } = this;
    for (let i = 0; i < flat.length; i += 2) if (flat[i] === key) return i;
    if (key !== key) for (let i = 0; i < flat.length; i += 2) if (Number.isNaN(flat[i])) return i;
    return -1;
  }

  private setFlat(key: K, value: V): void {
    const { flat } = this;
    const at = this.indexOf(key);
    if (at >= 0) flat[at + 1] = value;
    else if (flat.length >= 2 * MAX_FLAT) this.hashed().set(detachValue(key), value);
    // Of the two zeros a Map keeps this one.
    else flat.push(key === 0 ? 0 : typeof key === "string" ? detachValue(key) : key, value);
  }

  /** The plain entries as a `Map`, from now on. */
  private hashed(): Map<K, V> {
    if (this.plain !== undefined) return this.plain;
    const { flat } = this;
    const plain = new Map<K, V>();
    for (let i = 0; i < flat.length; i += 2) plain.set(flat[i] as K, flat[i + 1] as V);
    flat.length = 0;
    return (this.plain = plain);
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
