import { ByteWriter, writeValue, type RecordBatch } from "@millrace/core";
import { specialize } from "../operators/specialize.js";

const FIRST_BATCHES = 8;
const EVERY = 64;
const MAX_KEPT_BYTES = 1 << 16;

/**
 * Refuses records that could not cross an exchange between threads, on edges that do not: a job must not work in one thread and fail on a cluster.
 *
 * With `everyRecord` it looks at all of them: for jobs that run in one thread, where nothing else would. Otherwise, since a part of the records crosses
 * threads anyway, at all of the first batches and then at one record of every 64th, so that it costs nothing that matters.
 */
export class EncodableCheck {
  readonly #everyRecord: boolean;
  readonly #skipPlainData: SkipPlainData;
  #batches = 0;
  #scratch = new ByteWriter(256);

  constructor(everyRecord: boolean) {
    this.#everyRecord = everyRecord;
    // Compiling a copy costs more than a check that looks at samples ever does.
    const make = everyRecord ? specialize(makeSkipPlainData, `encodable check ${checks++}`) : makeSkipPlainData;
    this.#skipPlainData = make(Object.prototype, protoWorks(), Object.getPrototypeOf);
  }

  /** @throws what the exchange codec throws */
  check(batch: RecordBatch): void {
    const at = this.#batches++;
    const { values, count } = batch;
    if (this.#everyRecord || at < FIRST_BATCHES) this.#range(values, 0, count);
    else if (at % EVERY === 0 && count > 0) this.#range(values, at % count, (at % count) + 1);
  }

  #range(values: readonly unknown[], from: number, to: number): void {
    for (let i = this.#skipPlainData(values, from, to); i < to; i = this.#skipPlainData(values, i + 1, to)) this.#record(values[i]);
  }

  #record(value: unknown): void {
    this.#scratch.clear();
    writeValue(this.#scratch, value);
    if (this.#scratch.bytes.length > MAX_KEPT_BYTES) this.#scratch = new ByteWriter(256);
  }
}

/**
 * Index of the first of `values[from…to)` that is not certainly encodable, or `to`. Certain are primitives and plain objects of them; the codec decides
 * about the rest.
 */
type SkipPlainData = (values: readonly unknown[], from: number, to: number) => number;

/**
 * Self-contained, since it is re-evaluated for every edge whose records are all checked: enumerating the fields of an object is fast only where V8 has seen few kinds of objects, and
 * text that all edges share has seen them all.
 */
function makeSkipPlainData(objectPrototype: object, protoWorks: boolean, prototypeOf: (value: object) => unknown): SkipPlainData {
  /** Deeper records are left to the codec, which knows cycles. */
  const maxDepth = 8;
  const isPlain = (value: unknown, depth: number): boolean => {
    switch (typeof value) {
      case "function":
      case "symbol":
        return false;
      case "object":
        break;
      default:
        return true;
    }
    if (value === null) return true;
    if (depth === maxDepth) return false;
    if ((protoWorks ? (value as { __proto__?: unknown }).__proto__ : prototypeOf(value)) !== objectPrototype) return false;
    for (const name in value) {
      const field = (value as Record<string, unknown>)[name];
      switch (typeof field) {
        case "number":
        case "string":
        case "boolean":
        case "undefined":
        case "bigint":
          continue;
        default:
          if (!isPlain(field, depth + 1)) return false;
      }
    }
    return true;
  };
  // The outermost level is in the loop itself, where V8 sees that records are alike: half the time of calling `isPlain` for each.
  return (values, from, to) => {
    for (let i = from; i < to; i++) {
      const value = values[i];
      if (typeof value !== "object" || value === null || !protoWorks) {
        if (!isPlain(value, 0)) return i;
        continue;
      }
      if ((value as { __proto__?: unknown }).__proto__ !== objectPrototype) return i;
      for (const name in value) {
        const field = (value as Record<string, unknown>)[name];
        switch (typeof field) {
          case "number":
          case "string":
          case "boolean":
          case "undefined":
          case "bigint":
            continue;
        }
        if (field !== null && !isPlain(field, 1)) return i;
      }
    }
    return to;
  };
}

/** Where it does, `__proto__` is several times faster than `Object.getPrototypeOf`; a host may switch it off. */
function protoWorks(): boolean {
  try {
    return ({} as { __proto__?: unknown }).__proto__ === Object.prototype;
  } catch {
    return false;
  }
}

let checks = 0;
