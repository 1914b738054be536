import {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MAX_WATERMARK,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
  encodeKey,
  keyGroupOf,
  keyGroupRange,
  keyHash,
  type Output,
  type Slice,
} from "@millrace/core";
import assert from "node:assert/strict";
import { HeapKeyedStateBackend, assignKeyedState, type KeyedSnapshotResult, type KeyedStateHandle } from "../src/index.js";
import { concat } from "./concat.js";
import { ManualClock } from "./manual-clock.js";

export const MAX_PARALLELISM = 16;

/** Keys that are easily confused or mangled. */
export const KEYS: readonly unknown[] = [
  0, 1, -1, 2 ** 31, 0.5, 1e300, "", "1", "a", "\ud800", "\udc00x", "a key that is long enough to be a view on its parent",
  "ключ", 1n, -(2n ** 70n), true, false, null, [], ["t", 1], ["t", "1"], [["t"], 1], { a: 1, b: "x" }, { a: 1 }, new Date(5), 3, 4, 5, 6, 7,
];
export const NAMESPACES: readonly string[] = ["", "w1", "w2", "a namespace longer than twelve characters"];
export const VALUES: readonly unknown[] = [
  0, -0, NaN, 1, 2.5, -7, 2 ** 40, "s", "\udfff", null, true, 12n, [1, "two"], { x: 1, y: { z: undefined } }, new Map([[1, "one"]]), new Uint8Array([1, 2]),
];

/** One step of a random history. Numbers index the pools above. */
export interface Command {
  readonly op: string;
  readonly key: number;
  readonly a: number;
  readonly b: number;
}
export const OPS: readonly string[] = [
  "read", "value", "valueClear", "number", "numberClear", "listAdd", "listUpdate", "listClear", "mapPut", "mapRemove", "mapClear", "reduce", "reduceClear",
  "aggregate", "aggregateClear", "nsAdd", "nsClear", "nsMerge", "nsReduce", "sliceAdd", "sliceAdd", "sliceAdd", "sliceObject", "sliceDelete", "sliceDelete", "sliceDrop", "eventTimer", "eventTimerDelete",
  "processingTimer", "processingTimerDelete", "watermark",
];

interface KeyModel {
  value?: unknown;
  number?: number;
  list?: unknown[];
  map?: Map<string, readonly [unknown, unknown]>;
  reduced?: number;
  aggregated?: { sum: number; parts: number[] };
  scopedList: Map<string, unknown[]>;
  scopedSum: Map<string, number>;
}
interface TimerModel {
  readonly key: string;
  readonly namespace: string;
  readonly time: number;
  readonly sequence: number;
}
/** All that a backend holds, by encoded key. */
export interface Model {
  keys: Map<string, KeyModel>;
  slices: Map<number, Map<string, unknown>>;
  eventTimers: TimerModel[];
  processingTimers: TimerModel[];
  sequence: number;
}

export const keyId = (key: unknown): string => Array.from(encodeKey(key)).join(",");
export const emptyModel = (): Model => ({ keys: new Map(), slices: new Map(), eventTimers: [], processingTimers: [], sequence: 0 });
export const copyModel = (model: Model): Model => structuredClone(model);

const sum = { createAccumulator: () => ({ sum: 0, parts: [] as number[] }), add: (value: number, acc: { sum: number; parts: number[] }) => {
  acc.sum += value;
  acc.parts.push(value);
  return acc;
}, getResult: (acc: { sum: number; parts: number[] }) => `${acc.sum}:${acc.parts.join()}` };

const noOutput = {} as Output<unknown>;

/** A backend and handles to all kinds of state, doing what the model does. */
export class Subject {
  readonly backend: HeapKeyedStateBackend;
  readonly fired: string[] = [];
  readonly states;
  readonly timers;

  constructor(backend: HeapKeyedStateBackend) {
    this.backend = backend;
    this.states = {
      value: backend.getState(new ValueStateDescriptor<unknown>("value")),
      number: backend.getState(new ValueStateDescriptor<number>("number")),
      list: backend.getListState(new ListStateDescriptor<unknown>("list")),
      map: backend.getMapState(new MapStateDescriptor<unknown, unknown>("map")),
      reduced: backend.getReducingState(new ReducingStateDescriptor<number>("reduced", (a, b) => a + b)),
      aggregated: backend.getAggregatingState(new AggregatingStateDescriptor("aggregated", sum)),
      scopedList: backend.namespacedState(new ListStateDescriptor<unknown>("list")),
      scopedSum: backend.namespacedState(new ReducingStateDescriptor<number>("sum", (a, b) => a + b)),
      slices: backend.sliceTable<unknown>("slices"),
    };
    const fire = (domain: string) => (time: number, namespace: string): void => void this.fired.push(`${domain} ${time} ${namespace} ${keyId(backend.currentKey)}`);
    this.timers = backend.timerService("timers", { onEventTime: fire("e"), onProcessingTime: fire("p") }, noOutput);
  }

  static empty(): Subject {
    return new Subject(new HeapKeyedStateBackend({ maxParallelism: MAX_PARALLELISM, keyGroupRange: [0, MAX_PARALLELISM - 1], clock: new ManualClock() }));
  }
}

const without = (timers: TimerModel[], key: string, namespace: string, time: number): TimerModel[] =>
  timers.filter((timer) => timer.key !== key || timer.namespace !== namespace || timer.time !== time);

const byTime = (a: TimerModel, b: TimerModel): number => a.time - b.time || a.sequence - b.sequence;

/** What a command is about. */
interface Step {
  readonly op: string;
  readonly subject: Subject;
  readonly model: Model;
  readonly of: KeyModel;
  readonly key: unknown;
  readonly id: string;
  readonly hash: number;
  readonly value: unknown;
  readonly namespace: string;
  readonly time: number;
  readonly a: number;
  readonly b: number;
}

/** Does one command on both. */
export function apply(subject: Subject, model: Model, { op, key: keyIndex, a, b }: Command): void {
  const key = KEYS[keyIndex % KEYS.length];
  const id = keyId(key);
  const hash = keyHash(key);
  if (a % 2 === 0) subject.backend.setCurrentKey(key);
  else subject.backend.setCurrentKey(key, hash);
  let of = model.keys.get(id);
  if (of === undefined) model.keys.set(id, (of = { scopedList: new Map(), scopedSum: new Map() }));
  const value = VALUES[a % VALUES.length];
  const namespace = NAMESPACES[b % NAMESPACES.length]!;
  const step: Step = { op, subject, model, of, key, id, hash, value, namespace, time: 1000 + (a % 7) * 10, a, b };
  if (op === "read") assertKey(subject, of, id, key);
  else if (op.startsWith("ns")) applyToNamespaces(step);
  else if (op.startsWith("slice")) applyToSlices(step);
  else if (op.startsWith("list") || op.startsWith("map")) applyToCollections(step);
  else if (op.endsWith("Timer") || op.endsWith("TimerDelete") || op === "watermark") applyToTimers(step);
  else applyToValues(step);
}

function applyToValues({ op, subject, of, value, a }: Step): void {
  const { states } = subject;
  switch (op) {
    case "value":
      states.value.update(value);
      of.value = value;
      return;
    case "valueClear":
      states.value.clear();
      return void delete of.value;
    case "number":
      states.number.update(a % 5 === 0 ? NaN : a - 3);
      of.number = a % 5 === 0 ? NaN : a - 3;
      return;
    case "numberClear":
      states.number.clear();
      return void delete of.number;
    case "reduce":
      states.reduced.add(a);
      of.reduced = (of.reduced ?? 0) + a;
      return;
    case "reduceClear":
      states.reduced.clear();
      return void delete of.reduced;
    case "aggregate":
      states.aggregated.add(a);
      of.aggregated = sum.add(a, of.aggregated ?? sum.createAccumulator());
      return;
    case "aggregateClear":
      states.aggregated.clear();
      return void delete of.aggregated;
  }
  throw new Error(op);
}

function applyToCollections({ op, subject, of, value, b }: Step): void {
  const { states } = subject;
  switch (op) {
    case "listAdd":
      states.list.add(value);
      (of.list ??= []).push(value);
      return;
    case "listUpdate":
      states.list.update(VALUES.slice(0, b % 4));
      return void (b % 4 === 0 ? delete of.list : (of.list = VALUES.slice(0, b % 4)));
    case "listClear":
      states.list.clear();
      return void delete of.list;
    case "mapPut":
      states.map.put(KEYS[b % KEYS.length], value);
      (of.map ??= new Map()).set(keyId(KEYS[b % KEYS.length]), [KEYS[b % KEYS.length], value]);
      return;
    case "mapRemove":
      states.map.remove(KEYS[b % KEYS.length]);
      of.map?.delete(keyId(KEYS[b % KEYS.length]));
      return void (of.map?.size === 0 && delete of.map);
    case "mapClear":
      states.map.clear();
      return void delete of.map;
  }
  throw new Error(op);
}

function applyToNamespaces({ op, subject, of, value, namespace, a }: Step): void {
  const { states } = subject;
  switch (op) {
    case "nsAdd":
      states.scopedList.in(namespace).add(value);
      of.scopedList.set(namespace, [...(of.scopedList.get(namespace) ?? []), value]);
      return;
    case "nsClear":
      states.scopedList.in(namespace).clear();
      states.scopedSum.in(namespace).clear();
      of.scopedList.delete(namespace);
      of.scopedSum.delete(namespace);
      return;
    case "nsReduce":
      states.scopedSum.in(namespace).add(a);
      of.scopedSum.set(namespace, (of.scopedSum.get(namespace) ?? 0) + a);
      return;
    case "nsMerge": {
      const sources = NAMESPACES.filter((_, i) => (a & (1 << i)) !== 0);
      states.scopedList.mergeNamespaces(namespace, sources);
      states.scopedSum.mergeNamespaces(namespace, sources);
      for (const source of sources) {
        if (source === namespace) continue;
        const [list, number] = [of.scopedList.get(source), of.scopedSum.get(source)];
        if (list !== undefined) of.scopedList.set(namespace, [...(of.scopedList.get(namespace) ?? []), ...list]);
        if (number !== undefined) of.scopedSum.set(namespace, (of.scopedSum.get(namespace) ?? 0) + number);
        of.scopedList.delete(source);
        of.scopedSum.delete(source);
      }
      return;
    }
  }
  throw new Error(op);
}

/** The other way to find or add a key: with others, here with itself. */
function upsertTogether(slice: Slice<unknown, unknown>, key: unknown, hash: number): number {
  const positions = new Int32Array(2);
  slice.upsertAll!([key, key], Int32Array.of(hash, hash), 2, positions);
  assert.equal(positions[0], positions[1]);
  return positions[0]!;
}

function applyToSlices({ op, subject, model, key, id, hash, a, b }: Step): void {
  const { states } = subject;
  switch (op) {
    case "sliceAdd": {
      const slice = states.slices.slice(b % 2);
      const at = a % 2 === 0 ? slice.upsert(key, hash) : upsertTogether(slice, key, hash);
      const old = slice.get(at);
      slice.set(at, (typeof old === "number" ? old : 0) + a);
      const entries = model.slices.get(b % 2) ?? new Map<string, unknown>();
      const before = entries.get(id);
      model.slices.set(b % 2, entries.set(id, (typeof before === "number" ? before : 0) + a));
      return;
    }
    case "sliceObject": {
      const slice = states.slices.slice(b % 2);
      const at = slice.upsert(key, hash);
      const old = slice.get(at);
      const entries = model.slices.get(b % 2) ?? new Map<string, unknown>();
      if (Array.isArray(old)) {
        old.push(a);
        slice.set(at, old);
        (entries.get(id) as unknown[]).push(a);
      } else {
        slice.set(at, [a]);
        entries.set(id, [a]);
      }
      model.slices.set(b % 2, entries);
      return;
    }
    case "sliceDelete":
      states.slices.existing(b % 2)?.delete(key, hash);
      return void model.slices.get(b % 2)?.delete(id);
    case "sliceDrop":
      states.slices.drop(b % 2);
      return void model.slices.delete(b % 2);
  }
  throw new Error(op);
}

function applyToTimers({ op, subject, model, id, namespace, time }: Step): void {
  const { timers } = subject;
  switch (op) {
    case "eventTimer":
      timers.registerEventTimeTimer(namespace, time);
      if (!model.eventTimers.some((t) => t.key === id && t.namespace === namespace && t.time === time))
        model.eventTimers.push({ key: id, namespace, time, sequence: model.sequence++ });
      return;
    case "eventTimerDelete":
      timers.deleteEventTimeTimer(namespace, time);
      model.eventTimers = without(model.eventTimers, id, namespace, time);
      return;
    case "processingTimer":
      timers.registerProcessingTimeTimer(namespace, time);
      if (!model.processingTimers.some((t) => t.key === id && t.namespace === namespace && t.time === time))
        model.processingTimers.push({ key: id, namespace, time, sequence: model.sequence++ });
      return;
    case "processingTimerDelete":
      timers.deleteProcessingTimeTimer(namespace, time);
      model.processingTimers = without(model.processingTimers, id, namespace, time);
      return;
    case "watermark": {
      subject.fired.length = 0;
      while (!timers.advanceWatermark(time, () => true));
      while (!timers.advanceProcessingTime(time - 5, () => true));
      const event = model.eventTimers.filter((t) => t.time <= Math.max(time, lastWatermark(subject))).sort(byTime);
      const processing = model.processingTimers.filter((t) => t.time <= time - 5).sort(byTime);
      assert.deepEqual(subject.fired, [...event.map((t) => fired("e", t)), ...processing.map((t) => fired("p", t))]);
      model.eventTimers = model.eventTimers.filter((t) => !event.includes(t));
      model.processingTimers = model.processingTimers.filter((t) => !processing.includes(t));
      return;
    }
  }
  throw new Error(op);
}

const lastWatermark = (subject: Subject): number => subject.timers.currentWatermark;
const fired = (domain: string, timer: TimerModel): string => `${domain} ${timer.time} ${timer.namespace} ${timer.key}`;

function assertKey({ backend, states }: Subject, of: KeyModel, id: string, key: unknown): void {
  backend.setCurrentKey(key, keyHash(key));
  const seen = {
    value: states.value.value(),
    number: states.number.value(),
    list: [...states.list.get()],
    map: Object.fromEntries(Array.from(states.map.entries(), ([k, v]) => [keyId(k), [k, v]])),
    mapIsEmpty: states.map.isEmpty(),
    reduced: states.reduced.get(),
    aggregated: states.aggregated.get(),
    scopedList: NAMESPACES.map((namespace) => [...states.scopedList.in(namespace).get()]),
    scopedSum: NAMESPACES.map((namespace) => states.scopedSum.in(namespace).get()),
  };
  const expected = {
    value: of.value,
    number: of.number,
    list: of.list ?? [],
    map: Object.fromEntries(of.map ?? []),
    mapIsEmpty: of.map === undefined,
    reduced: of.reduced,
    aggregated: of.aggregated === undefined ? undefined : sum.getResult(of.aggregated),
    scopedList: NAMESPACES.map((namespace) => of.scopedList.get(namespace) ?? []),
    scopedSum: NAMESPACES.map((namespace) => of.scopedSum.get(namespace)),
  };
  assert.deepEqual(seen, expected, `key ${id}`);
}

/** Compares everything; fires the timers of the subjects away. */
export function assertEqualsModel(subjects: readonly Subject[], model: Model): void {
  const owner = (key: unknown): Subject => {
    const group = keyGroupOf(keyHash(key), MAX_PARALLELISM);
    return subjects.find(({ backend }) => backend.keyGroupRange[0] <= group && group <= backend.keyGroupRange[1])!;
  };
  for (const key of KEYS) assertKey(owner(key), model.keys.get(keyId(key)) ?? { scopedList: new Map(), scopedSum: new Map() }, keyId(key), key);
  const withValue = subjects.flatMap(({ backend }) => [...backend.keys(new ValueStateDescriptor("value"))].map(keyId)).sort();
  assert.deepEqual(withValue, [...model.keys].filter(([, of]) => of.value !== undefined).map(([id]) => id).sort());

  const slices = new Map<number, Map<string, unknown>>();
  for (const { states } of subjects) {
    for (const namespace of states.slices.namespaces()) {
      const slice = states.slices.existing(namespace)!;
      const entries = slices.get(namespace) ?? new Map<string, unknown>();
      slices.set(namespace, entries);
      for (let at = 0; at < slice.size; at++) {
        const key = slice.keyAt(at);
        assert.equal(slice.hashAt(at), keyHash(key));
        assert.equal(slice.find(key, keyHash(key)), at);
        entries.set(keyId(key), slice.get(at));
      }
    }
  }
  const sorted = (of: Map<number, Map<string, unknown>>): unknown =>
    [...of].filter(([, entries]) => entries.size > 0).sort(([a], [b]) => a - b).map(([ns, entries]) => [ns, [...entries].sort(([a], [b]) => (a < b ? -1 : 1))]);
  assert.deepEqual(sorted(slices), sorted(model.slices));

  for (const subject of subjects) {
    const mine = (timer: TimerModel): boolean => KEYS.some((key) => keyId(key) === timer.key && owner(key) === subject);
    subject.fired.length = 0;
    assert.equal(subject.timers.advanceWatermark(MAX_WATERMARK, () => false), true);
    assert.equal(subject.timers.advanceProcessingTime(MAX_WATERMARK, () => false), true);
    const expected = [
      ...model.eventTimers.filter(mine).sort(byTime).map((t) => fired("e", t)),
      ...model.processingTimers.filter(mine).sort(byTime).map((t) => fired("p", t)),
    ];
    assert.deepEqual(subject.fired, expected);
  }
}

/** What storage and metadata keep of a snapshot. */
export interface Stored {
  readonly handle: KeyedStateHandle;
  readonly bytes: Uint8Array;
}

export function store(result: KeyedSnapshotResult): Stored {
  const bytes = concat(result.chunks);
  assert.equal(bytes.length, result.stateBytes);
  const handle = { keyGroupRange: result.keyGroupRange, keyGroups: result.keyGroups, file: { path: "f", offset: 0, length: bytes.length } };
  return { handle: JSON.parse(JSON.stringify(handle)) as KeyedStateHandle, bytes };
}

/** Restores at another parallelism, through the metadata. */
export function restoreAt(stored: readonly Stored[], parallelism: number): Subject[] {
  const named = stored.map(({ handle }, i) => ({ ...handle, file: { ...handle.file, path: String(i) } }));
  return assignKeyedState(named, MAX_PARALLELISM, parallelism).map((handles, subtask) => {
    const options = { maxParallelism: MAX_PARALLELISM, keyGroupRange: keyGroupRange(MAX_PARALLELISM, parallelism, subtask), clock: new ManualClock() };
    const parts = handles.map((handle) => ({ bytes: stored[Number(handle.file.path)]!.bytes, keyGroups: handle.keyGroups }));
    return new Subject(HeapKeyedStateBackend.restore(options, parts));
  });
}
