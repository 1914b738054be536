import { ByteWriter, writeValue, type RecordBatch } from "@millrace/core";

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
  #batches = 0;
  #scratch = new ByteWriter(256);

  constructor(everyRecord: boolean) {
    this.#everyRecord = everyRecord;
  }

  /** @throws what the exchange codec throws */
  check(batch: RecordBatch): void {
    const at = this.#batches++;
    const { values, count } = batch;
    if (this.#everyRecord || at < FIRST_BATCHES) for (let i = 0; i < count; i++) this.#record(values[i]);
    else if (at % EVERY === 0 && count > 0) this.#record(values[at % count]);
  }

  #record(value: unknown): void {
    if (isPlainData(value, 0)) return;
    this.#scratch.clear();
    writeValue(this.#scratch, value);
    if (this.#scratch.bytes.length > MAX_KEPT_BYTES) this.#scratch = new ByteWriter(256);
  }
}

/** Deeper records are left to the codec, which knows cycles. */
const MAX_PLAIN_DEPTH = 8;
const objectPrototype: object = Object.prototype;

/** True for what is certainly encodable, primitives and plain objects of them; the codec decides about the rest. */
function isPlainData(value: unknown, depth: number): boolean {
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
  if (depth === MAX_PLAIN_DEPTH || Object.getPrototypeOf(value) !== objectPrototype) return false;
  for (const name in value) if (!isPlainData((value as Record<string, unknown>)[name], depth + 1)) return false;
  return true;
}
