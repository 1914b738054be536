import type { JdbcTableWriter } from "../dialect/jdbc-dialect.js";
import { equalsByText } from "../dialect/jdbc-type.js";
import type { JdbcParameter } from "../dialect/jdbc-type.js";
import type { TableLayout } from "./table-layout.js";

export interface RowChange {
  readonly row: readonly JdbcParameter[];
  readonly isDelete: boolean;
}

/** Changes that wait to be written together: for upserts the last one of each key alone. */
export class ChangeBatch {
  readonly #layout: TableLayout<never>;
  readonly #byKey = new Map<string, RowChange>();
  readonly #inOrder: RowChange[] = [];
  readonly #isKeyed: boolean;

  constructor(layout: TableLayout<never>) {
    this.#layout = layout;
    this.#isKeyed = layout.target.mode === "upsert";
  }

  get size(): number {
    return this.#isKeyed ? this.#byKey.size : this.#inOrder.length;
  }

  add(change: RowChange): void {
    if (!this.#isKeyed) {
      this.#inOrder.push(change);
      return;
    }
    const key = this.#layout.keyOf(change.row);
    const { size } = this.#byKey;
    this.#byKey.set(key, change);
    if (this.#byKey.size > size) return;
    // Changes stay in the order of the last one: other unique columns may depend on it.
    this.#byKey.delete(key);
    this.#byKey.set(key, change);
  }

  /** Takes everything out. */
  take(): readonly RowChange[] {
    const changes = this.#isKeyed ? [...this.#byKey.values()] : this.#inOrder.slice();
    this.#byKey.clear();
    this.#inOrder.length = 0;
    return changes;
  }
}

/** Writes changes by as few statements as their order allows. */
export async function writeChanges(writer: JdbcTableWriter, layout: TableLayout<never>, changes: readonly RowChange[]): Promise<void> {
  for (const run of runsOf(layout, changes)) {
    const rows = run.map(({ row }) => row);
    if (run[0]!.isDelete) await writer.delete(rows.map((row) => layout.target.keys.map((key) => row[key]!)));
    else await writer.write(rows);
  }
}

/** How many statements they take. */
export function statementsOf(layout: TableLayout<never>, changes: readonly RowChange[]): number {
  return runsOf(layout, changes).length;
}

function runsOf(layout: TableLayout<never>, changes: readonly RowChange[]): (readonly RowChange[])[] {
  const { keys, columns, mode } = layout.target;
  if (changes.every(({ isDelete }) => !isDelete)) return changes.length === 0 ? [] : [changes];
  // One change per key: deletes may go first. Keys that the database takes for equal though their texts differ must keep their order, and so must single rows.
  if (mode === "upsert" && keys.every((key) => equalsByText(columns[key]!.type))) {
    return [changes.filter(({ isDelete }) => isDelete), changes.filter(({ isDelete }) => !isDelete)].filter((run) => run.length > 0);
  }
  const runs: RowChange[][] = [];
  for (const change of changes) {
    const last = runs.at(-1);
    if (last !== undefined && last[0]!.isDelete === change.isDelete) last.push(change);
    else runs.push([change]);
  }
  return runs;
}
