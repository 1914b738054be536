import { storeConflict, type StoreChange, type StoredValue } from "@millrace/core";

/** The content of a fenced store in memory: values by key, with versions. */
export class StoreTable {
  #values: Map<string, StoredValue>;

  constructor(values: Iterable<readonly [string, StoredValue]> = []) {
    this.#values = new Map(values);
  }

  get(key: string): StoredValue | undefined {
    return this.#values.get(key);
  }

  list(key: string): string[] {
    const prefix = key === "" ? "" : `${key}/`;
    const names = new Set<string>();
    for (const stored of this.#values.keys()) if (stored.startsWith(prefix)) names.add(stored.slice(prefix.length).split("/")[0]!);
    return [...names].sort();
  }

  /** Applies all changes or, when an expectation does not hold, none. @throws `HA_CONFLICT` */
  apply(changes: readonly StoreChange[]): void {
    const values = new Map(this.#values);
    for (const change of changes) {
      const found = values.get(change.key)?.version ?? "absent";
      if (change.expect !== undefined && change.expect !== found) throw storeConflict(change.key, change.expect, found);
      if (change.type === "delete") values.delete(change.key);
      else values.set(change.key, { value: change.value, version: found === "absent" ? 0 : found + 1 });
    }
    this.#values = values;
  }

  entries(): [string, StoredValue][] {
    return [...this.#values];
  }
}
