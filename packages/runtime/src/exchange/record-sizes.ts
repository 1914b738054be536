import { ByteWriter, writeValue, type RecordBatch } from "@millrace/core";

const FIRST_BATCHES = 8;
const EVERY = 16;
/** The share of a sample in the mean, once there is one. */
const WEIGHT = 1 / 8;
const MAX_KEPT_BYTES = 1 << 16;

/** How many bytes the records of an edge have that does not encode them: a mean of samples, one of the first batches each and of every 16th after. */
export class RecordSizes {
  bytesPerRecord = 0;
  #batches = 0;
  #scratch = new ByteWriter(256);

  /** A batch goes over the edge. @returns its bytes, about */
  observe({ values, count }: RecordBatch): number {
    const at = this.#batches++;
    if (count > 0 && (at < FIRST_BATCHES || at % EVERY === 0)) this.#sample(values[at % count]);
    return Math.ceil(count * this.bytesPerRecord);
  }

  #sample(value: unknown): void {
    this.#scratch.clear();
    try {
      writeValue(this.#scratch, value);
    } catch {
      // Whether such a record may go over the edge is for others to say.
      return;
    }
    const bytes = this.#scratch.position;
    this.bytesPerRecord = this.bytesPerRecord === 0 ? bytes : this.bytesPerRecord + (bytes - this.bytesPerRecord) * WEIGHT;
    if (this.#scratch.bytes.length > MAX_KEPT_BYTES) this.#scratch = new ByteWriter(256);
  }
}
