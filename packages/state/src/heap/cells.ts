import { detachValue } from "@millrace/core";
import { MISSING, type KeyCursor } from "./key-cursor.js";
import type { StateColumn } from "./state-column.js";

/** The place of one state's payload for the current key (and namespace): what every kind of state is written on. */
export interface Cell {
  read(): unknown;
  /** `payload` is not `undefined`. */
  write(payload: unknown): void;
  remove(): void;
}

/** The current key's place in a column: the void namespace. */
export class RowCell implements Cell {
  private readonly cursor: KeyCursor;
  private readonly column: StateColumn;

  constructor(cursor: KeyCursor, column: StateColumn) {
    this.cursor = cursor;
    this.column = column;
  }

  read(): unknown {
    const cursor = this.cursor;
    let row = cursor.row;
    if (row < 0) {
      if (row === MISSING) return undefined;
      row = cursor.resolve();
      if (row < 0) return undefined;
    }
    return this.column.get(row);
  }

  write(payload: unknown): void {
    const cursor = this.cursor;
    let row = cursor.row;
    if (row < 0) row = cursor.resolveForWrite();
    if (this.column.set(row, payload)) cursor.table.hold(row);
  }

  remove(): void {
    const cursor = this.cursor;
    const row = cursor.row >= 0 ? cursor.row : cursor.resolve();
    if (row >= 0 && this.column.clear(row)) cursor.release(row);
  }
}

/** Payloads of one key by namespace; a column of these holds a namespaced state. Never empty. */
export type NamespaceMap = Map<string, unknown>;

/** The current key's place in the namespace the cell points to. */
export class NamespaceCell implements Cell {
  namespace = "";
  private readonly rowCell: RowCell;

  constructor(cursor: KeyCursor, column: StateColumn) {
    this.rowCell = new RowCell(cursor, column);
  }

  read(): unknown {
    return (this.rowCell.read() as NamespaceMap | undefined)?.get(this.namespace);
  }

  write(payload: unknown): void {
    const namespaces = this.rowCell.read() as NamespaceMap | undefined;
    if (namespaces === undefined) this.rowCell.write(new Map([[detachValue(this.namespace), payload]]));
    else if (namespaces.has(this.namespace)) namespaces.set(this.namespace, payload);
    else namespaces.set(detachValue(this.namespace), payload);
  }

  remove(): void {
    const namespaces = this.rowCell.read() as NamespaceMap | undefined;
    if (namespaces !== undefined && namespaces.delete(this.namespace) && namespaces.size === 0) this.rowCell.remove();
  }
}
