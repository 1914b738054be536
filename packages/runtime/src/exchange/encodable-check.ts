import { ByteWriter, writeValue, type RecordBatch } from "@millrace/core";

const FIRST_BATCHES = 8;
const EVERY = 64;
const MAX_KEPT_BYTES = 1 << 16;

/**
 * Refuses records that could not cross an exchange between threads, on edges that do not: a job must not work in one thread and fail on a cluster.
 *
 * Looks at one record of the first batches and of every 64th after, so that it costs nothing that matters. @throws what the exchange codec throws.
 */
export class EncodableCheck {
  #batches = 0;
  #scratch = new ByteWriter(256);

  check(batch: RecordBatch): void {
    const at = this.#batches++;
    if (batch.count === 0 || (at >= FIRST_BATCHES && at % EVERY !== 0)) return;
    this.#scratch.clear();
    writeValue(this.#scratch, batch.values[at % batch.count]);
    if (this.#scratch.bytes.length > MAX_KEPT_BYTES) this.#scratch = new ByteWriter(256);
  }
}
