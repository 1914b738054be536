import {
  ByteReader,
  ByteWriter,
  MillraceError,
  detachValue,
  readValue,
  writeValue,
  type BroadcastState,
  type ListStateDescriptor,
  type MapStateDescriptor,
  type OperatorListState,
  type OperatorStateStore,
  type TypeSchema,
} from "@millrace/core";
import type { OperatorStateAssignment, OperatorStateMeta, OperatorStateMode } from "../handles.js";
import { StateMap } from "../heap/state-map.js";
import { schemaOf } from "../heap/state-table.js";
import { describeSchema, resolveSchema } from "../schema/compatibility.js";
import { resolveInferred } from "../schema/inferred.js";

/** Operator state in bytes: what goes to a file, and what the metadata must know of it. */
export interface OperatorStateSnapshot {
  readonly bytes: Uint8Array;
  readonly states: readonly OperatorStateMeta[];
}

/** The bytes of one old subtask's handle (its whole file range), its states, and what of them to read. */
export interface OperatorRestorePart {
  readonly bytes: Uint8Array;
  readonly states: readonly OperatorStateMeta[];
  readonly assignments: readonly Omit<OperatorStateAssignment, "handle">[];
}

/** One state of a subtask: a list, or (broadcast) a map. */
class OperatorState {
  readonly mode: OperatorStateMode;
  schema: TypeSchema;
  list: unknown[] = [];
  map: StateMap = new StateMap();
  handle: unknown = undefined;

  constructor(mode: OperatorStateMode, schema: TypeSchema) {
    this.mode = mode;
    this.schema = schema;
  }
}

/**
 * Operator state on the heap: split lists, union lists and broadcast maps by name. One per operator and subtask, used by its thread only.
 *
 * A restored state that is not opened is kept and written again.
 */
export class OperatorStateBackend implements OperatorStateStore {
  readonly #states = new Map<string, OperatorState>();

  /** A backend with what was assigned to this subtask; parts in the order of old subtasks. */
  static restore(parts: readonly OperatorRestorePart[]): OperatorStateBackend {
    const backend = new OperatorStateBackend();
    for (const part of parts) for (const assignment of part.assignments) backend.#read(part, assignment);
    return backend;
  }

  getListState<T>(descriptor: ListStateDescriptor<T>): OperatorListState<T> {
    const state = this.#open(descriptor.name, "SPLIT_DISTRIBUTE", schemaOf(descriptor));
    return (state.handle ??= new HeapOperatorListState<T>(state)) as OperatorListState<T>;
  }

  getUnionListState<T>(descriptor: ListStateDescriptor<T>): OperatorListState<T> {
    const state = this.#open(descriptor.name, "UNION", schemaOf(descriptor));
    return (state.handle ??= new HeapOperatorListState<T>(state)) as OperatorListState<T>;
  }

  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V> {
    const state = this.#open(descriptor.name, "BROADCAST", schemaOf(descriptor));
    return (state.handle ??= new HeapBroadcastState<K, V>(state)) as BroadcastState<K, V>;
  }

  /** Encodes everything as it is now, in one go. */
  snapshot(): OperatorStateSnapshot {
    const writer = new ByteWriter(1024);
    const states: OperatorStateMeta[] = [];
    for (const [name, { mode, schema, list, map }] of this.#states) {
      const offsets: number[] = [];
      if (mode === "BROADCAST") {
        for (const [key, value] of map.entries()) {
          offsets.push(writer.position);
          writeValue(writer, key);
          writeValue(writer, value);
        }
      } else {
        for (const element of list) {
          offsets.push(writer.position);
          writeValue(writer, element);
        }
      }
      states.push({ name, mode, schema, offsets, end: writer.position });
    }
    return { bytes: writer.finish(), states };
  }

  #read(part: OperatorRestorePart, { name, mode, from, to }: Omit<OperatorStateAssignment, "handle">): void {
    const meta = part.states.find((state) => state.name === name);
    if (meta === undefined) throw corrupt(`operator state "${name}" is assigned from a handle that does not have it`);
    let state = this.#states.get(name);
    if (state === undefined) this.#states.set(name, (state = new OperatorState(mode, meta.schema)));
    for (let i = from; i < to; i++) {
      const offset = meta.offsets[i];
      const end = meta.offsets[i + 1] ?? meta.end;
      if (offset === undefined || end > part.bytes.length || offset > end) throw corrupt(`element ${i} of operator state "${name}" is not in its file`);
      const reader = new ByteReader(part.bytes, offset, end);
      const first = readValue(reader);
      if (mode === "BROADCAST") state.map.set(first, readValue(reader));
      else state.list.push(first);
    }
  }

  #open(name: string, mode: OperatorStateMode, declared: TypeSchema): OperatorState {
    let state = this.#states.get(name);
    if (state === undefined) this.#states.set(name, (state = new OperatorState(mode, declared)));
    if (state.mode !== mode) throw conflict(name, state.mode, mode);
    if (state.handle === undefined) fit(name, state, declared);
    return state;
  }
}

class HeapOperatorListState<T> implements OperatorListState<T> {
  readonly #state: OperatorState;

  constructor(state: OperatorState) {
    this.#state = state;
  }

  get(): Iterable<T> {
    return this.#state.list as T[];
  }

  add(value: T): void {
    this.#state.list.push(detachValue(value));
  }

  update(values: readonly T[]): void {
    this.#state.list = Array.from(values, (value) => detachValue(value));
  }

  clear(): void {
    this.#state.list = [];
  }
}

class HeapBroadcastState<K, V> implements BroadcastState<K, V> {
  readonly #state: OperatorState;

  constructor(state: OperatorState) {
    this.#state = state;
  }

  get(key: K): V | undefined {
    return this.#state.map.get(key) as V | undefined;
  }

  contains(key: K): boolean {
    return this.#state.map.has(key);
  }

  entries(): Iterable<readonly [K, V]> {
    return this.#state.map.entries() as Iterable<readonly [K, V]>;
  }

  put(key: K, value: V): void {
    this.#state.map.set(key, detachValue(value));
  }

  remove(key: K): void {
    this.#state.map.delete(key);
  }

  clear(): void {
    this.#state.map = new StateMap();
  }
}

function fit(name: string, state: OperatorState, declared: TypeSchema): void {
  const refuse = (written: TypeSchema): MillraceError => new MillraceError({
    code: "STATE_TYPE_INCOMPATIBLE",
    message: `operator state "${name}" was written as ${describeSchema(written)}, which cannot be read as ${describeSchema(declared)}`,
    hint: "Fields may be removed, and added when they are optional or nullable; int may become double. For any other change use a new state name.",
  });
  const inferred = state.schema.kind === "any" && declared.kind !== "any";
  const change = inferred ? resolveInferred(declared, refuse) : resolveSchema(state.schema, declared);
  if (change === undefined) throw refuse(state.schema);
  state.schema = declared;
  if (change === "same") return;
  if (state.mode === "BROADCAST") {
    const migrated = change(new Map(state.map.entries())) as Map<unknown, unknown>;
    state.map = new StateMap();
    for (const [key, value] of migrated) state.map.set(key, value);
  } else {
    state.list = state.list.map(change);
  }
}

const MODE_NAMES: Readonly<Record<OperatorStateMode, string>> = { SPLIT_DISTRIBUTE: "list", UNION: "union list", BROADCAST: "broadcast" };

function conflict(name: string, is: OperatorStateMode, wanted: OperatorStateMode): MillraceError {
  return new MillraceError({
    code: "STATE_DESCRIPTOR_CONFLICT",
    message: `operator state "${name}" is a ${MODE_NAMES[is]} state, but is opened as a ${MODE_NAMES[wanted]} state`,
    hint: "One name in one operator is one state: use another name, or open it as before.",
  });
}

function corrupt(what: string): MillraceError {
  return new MillraceError({ code: "STATE_SNAPSHOT_CORRUPT", message: what, hint: "The file was damaged or cut off: restore from another checkpoint." });
}
