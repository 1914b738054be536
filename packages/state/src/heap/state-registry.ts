import {
  MillraceError,
  didYouMean,
  type AggregateFunction,
  type Clock,
  type KeyedState,
  type NamespacedState,
  type ReduceFn,
  type StateDescriptor,
  type StateKind,
  type TypeSchema,
} from "@millrace/core";
import { describeSchema, resolveSchema, type Migration } from "../schema/compatibility.js";
import { resolveInferred } from "../schema/inferred.js";
import { NamespaceCell, RowCell, type Cell, type NamespaceMap } from "./cells.js";
import type { KeyCursor } from "./key-cursor.js";
import { HeapAggregatingState, HeapListState, HeapReducingState, HeapValueState } from "./keyed-states.js";
import { MapColumn } from "./map-column.js";
import { CellMapState, RowMapState } from "./map-state.js";
import { HeapNamespacedState, payloadMerge } from "./namespaced-state.js";
import { isExpired, mapPayload, type PayloadShape } from "./payload.js";
import type { StateColumn } from "./state-column.js";
import { StateTable, newColumn, schemaOf, trimPayload } from "./state-table.js";
import { TtlCell, TtlListState, TtlMapState, TtlPolicy, TtlValue } from "./ttl.js";

/** Rows looked at for expired values per access to a state with expiry. */
const SWEPT_ROWS_PER_ACCESS = 2;
const KINDS: readonly StateKind[] = ["value", "list", "map", "reducing", "aggregating"];

/** The states of one operator by scope and name: opens them, and fits restored ones to how they are opened. */
export class StateRegistry {
  readonly tables: Map<string, StateTable> = new Map();
  private readonly cursor: KeyCursor;
  private readonly clock: Clock;

  constructor(cursor: KeyCursor, clock: Clock) {
    this.cursor = cursor;
    this.clock = clock;
  }

  open(descriptor: StateDescriptor): KeyedState {
    const table = this.tableOf(descriptor, false);
    table.handle ??= this.makeHandle(descriptor, table, new RowCell(this.cursor, table.column));
    return table.handle as KeyedState;
  }

  openNamespaced<S extends KeyedState>(descriptor: StateDescriptor<S>): NamespacedState<S> {
    const table = this.tableOf(descriptor, true);
    if (table.handle === undefined) {
      const cell = new NamespaceCell(this.cursor, table.column);
      const handle = this.makeHandle(descriptor, table, cell);
      table.handle = new HeapNamespacedState(cell, handle, payloadMerge(descriptor, table.ttl));
    }
    return table.handle as NamespacedState<S>;
  }

  *keys(descriptor: StateDescriptor): Iterable<unknown> {
    const state = this.tables.get(tableId(descriptor.name, false));
    if (state === undefined) return;
    const keys = this.cursor.table;
    for (let row = 0; row < keys.rowCount; row++) {
      const payload = state.column.get(row);
      if (payload !== undefined && !isExpired(payload, state.policy, this.clock.nowMs())) yield keys.keyAt(row);
    }
  }

  /** The columns of all states. */
  columns(): StateColumn[] {
    return Array.from(this.tables.values(), (table) => table.column);
  }

  /** The table of a state that a snapshot holds, made when no other part of the snapshot had it. */
  restored(name: string, shape: PayloadShape, schema: StateTable["schema"]): StateTable {
    const id = tableId(name, shape.namespaced);
    let table = this.tables.get(id);
    if (table === undefined) {
      table = new StateTable(name, shape, schema);
      this.tables.set(id, table);
    }
    return table;
  }

  private tableOf(descriptor: StateDescriptor, namespaced: boolean): StateTable {
    if (!KINDS.includes(descriptor.kind)) throw unknownKind(descriptor);
    const id = tableId(descriptor.name, namespaced);
    const ttl = descriptor.ttl !== undefined;
    let table = this.tables.get(id);
    if (table === undefined) {
      table = new StateTable(descriptor.name, { kind: descriptor.kind, namespaced, ttl }, schemaOf(descriptor));
      this.tables.set(id, table);
    }
    if (table.kind !== descriptor.kind) throw conflict(table, descriptor);
    if (table.handle === undefined) {
      this.fit(table, descriptor);
      if (descriptor.ttl !== undefined) table.policy = new TtlPolicy(descriptor.ttl, this.clock);
    }
    return table;
  }

  /** Brings a restored table to the type and the expiry it is opened with. */
  private fit(table: StateTable, descriptor: StateDescriptor): void {
    const declared = schemaOf(descriptor);
    const change = this.changeTo(table, declared);
    if (change === undefined) throw incompatible(table, describeSchema(table.schema), describeSchema(declared));
    table.schema = declared;
    const ttl = descriptor.ttl !== undefined;
    if (change === "same" && ttl === table.ttl) return;
    const nowMs = this.clock.nowMs();
    const migrate = change === "same" ? (value: unknown): unknown => value : change;
    const leaf = (held: unknown): unknown => {
      const value = migrate(table.ttl ? (held as TtlValue).value : held);
      return ttl ? new TtlValue(value, table.ttl ? (held as TtlValue).atMs : nowMs) : value;
    };
    const from = table.column;
    // Maps with and without expiry lie in different columns.
    if (ttl !== table.ttl) table.column = newColumn({ ...table, ttl });
    this.rewrite(table, from, (payload) => mapPayload(payload, table, leaf));
    table.ttl = ttl;
  }

  /** What a value of the state needs to be read as `declared`; `undefined` when it cannot be. Called before `table.schema` is replaced. */
  private changeTo(table: StateTable, declared: TypeSchema): Migration | "same" | undefined {
    let [written, read] = [table.schema, declared];
    if (table.kind === "map" && written.kind === "map" && read.kind === "map") {
      if (resolveSchema(written.key, read.key) !== "same") return undefined;
      [written, read] = [written.value, read.value];
    }
    if (written.kind === "any" && read.kind !== "any") return resolveInferred(read, (inferred) => incompatible(table, describeSchema(inferred), describeSchema(read)));
    const change = resolveSchema(table.schema, declared);
    return change === undefined || change === "same" || table.kind !== "map" ? change : mapValueChange(change);
  }

  /** Changes every payload of a state, whose column was `from` so far. */
  private rewrite(table: StateTable, from: StateColumn, change: (payload: unknown) => unknown): void {
    const rows = this.cursor.table.rowCount;
    for (let row = 0; row < rows; row++) {
      const payload = from.get(row);
      if (payload === undefined) continue;
      this.cursor.use(row);
      if (table.namespaced) {
        const namespaces = payload as NamespaceMap;
        for (const [namespace, scoped] of namespaces) namespaces.set(namespace, change(scoped));
        table.column.set(row, namespaces);
      } else {
        table.column.set(row, change(payload));
      }
    }
  }

  private makeHandle(descriptor: StateDescriptor, table: StateTable, cell: Cell): KeyedState {
    const policy = table.policy;
    const touched = (): void => this.sweep(table);
    if (table.kind === "list") return policy === undefined ? new HeapListState(cell) : new TtlListState(cell, policy, touched);
    if (table.kind === "map") {
      if (policy !== undefined) return new TtlMapState(cell, policy, touched);
      return table.column instanceof MapColumn ? new RowMapState(this.cursor, table.column) : new CellMapState(cell);
    }
    const valueCell = policy === undefined ? cell : new TtlCell(cell, policy, touched);
    if (table.kind === "value") return new HeapValueState(valueCell);
    if (table.kind === "reducing") {
      return new HeapReducingState(valueCell, (descriptor as unknown as { readonly reduce: ReduceFn<unknown> }).reduce);
    }
    const aggregate = (descriptor as unknown as { readonly aggregate: AggregateFunction<unknown, unknown, unknown> }).aggregate;
    return new HeapAggregatingState(valueCell, aggregate);
  }

  /** Incremental cleanup: drops what has expired from the next few rows, but not from the row that is being accessed. */
  private sweep(table: StateTable): void {
    const policy = table.policy!;
    const cursor = this.cursor;
    const nowMs = policy.nowMs();
    const current = cursor.row >= 0 ? cursor.row : cursor.resolve();
    for (let i = Math.min(SWEPT_ROWS_PER_ACCESS, cursor.table.rowCount); i > 0; i--) {
      if (table.sweepRow >= cursor.table.rowCount) table.sweepRow = 0;
      const row = table.sweepRow++;
      const payload = row === current ? undefined : table.column.get(row);
      if (payload === undefined) continue;
      cursor.use(row);
      const kept = trimPayload(payload, policy, nowMs);
      if (kept !== undefined) {
        if (kept !== payload) table.column.set(row, kept);
      } else if (table.column.clear(row)) {
        cursor.release(row);
      }
    }
  }
}

function tableId(name: string, namespaced: boolean): string {
  return namespaced ? `namespaced:${name}` : `void:${name}`;
}

/** `resolveSchema` of a map schema changes whole maps; a map state is changed value by value. */
function mapValueChange(change: (map: unknown) => unknown): (value: unknown) => unknown {
  return (value) => (change(new Map([[0, value]])) as Map<unknown, unknown>).get(0);
}

function conflict(table: StateTable, descriptor: StateDescriptor): MillraceError {
  return new MillraceError({
    code: "STATE_DESCRIPTOR_CONFLICT",
    message: `state "${descriptor.name}" is a ${table.kind} state, but is opened as a ${descriptor.kind} state`,
    hint: "One name in one operator is one state: use another name, or the same kind of descriptor as before.",
  });
}

function unknownKind(descriptor: StateDescriptor): MillraceError {
  return new MillraceError({
    code: "STATE_DESCRIPTOR_CONFLICT",
    message: `state "${descriptor.name}" has the unknown kind "${String(descriptor.kind)}"`,
    hint: didYouMean(String(descriptor.kind), KINDS) || `The kinds are ${KINDS.join(", ")}.`,
  });
}

function incompatible(table: StateTable, written: string, declared: string): MillraceError {
  return new MillraceError({
    code: "STATE_TYPE_INCOMPATIBLE",
    message: `${table.kind} state "${table.name}" was written as ${written}, which cannot be read as ${declared}`,
    hint: "Fields may be removed, and added when they are optional or nullable; int may become double. For any other change use a new state name.",
  });
}
