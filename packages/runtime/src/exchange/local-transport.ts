import type { RecordBatch } from "@millrace/core";
import type { Barrier, ChannelEvent } from "./channel-element.js";
import { EncodableCheck } from "./encodable-check.js";
import type { BufferDecoder, InputChannel } from "./input-channel.js";
import { MOST_BUFFER_BYTES, type ChannelTransport, type OutputPressure } from "./output-channel.js";
import type { RecordSizes } from "./record-sizes.js";

/** Sends a batch through the exchange codec and back, so that a local edge behaves exactly as a remote one. */
export interface RoundTrip extends BufferDecoder {
  encode(batch: RecordBatch): ArrayBuffer;
}

/** What happens to the batches of a local edge besides being handed over. */
export interface LocalTransportOptions {
  /** They go through the codec. */
  readonly roundTrip?: RoundTrip | undefined;
  /** All records are checked for what the codec cannot carry; otherwise samples. */
  readonly checkEveryRecord?: boolean;
  /** Buffers are debloated: knows how many bytes batches would have. */
  readonly sizes?: RecordSizes | undefined;
}

const POOLED_BATCHES = 8;

/** Connects two tasks of one slot: batches go into the receiver's queue as they are; the bound is the number that wait there. */
export class LocalTransport implements ChannelTransport {
  flushWanted = false;
  sentBytes = 0;
  bufferSize: number = MOST_BUFFER_BYTES;
  readonly #receiver: InputChannel;
  readonly #limit: number;
  readonly #pressure: OutputPressure;
  readonly #roundTrip: RoundTrip | undefined;
  readonly #pool: RecordBatch[] = [];
  readonly #encodable: EncodableCheck;
  readonly #sizes: RecordSizes | undefined;
  #blocked = false;

  constructor(receiver: InputChannel, limit: number, pressure: OutputPressure, { roundTrip, checkEveryRecord = false, sizes }: LocalTransportOptions = {}) {
    this.#receiver = receiver;
    this.#limit = limit;
    this.#pressure = pressure;
    this.#roundTrip = roundTrip;
    this.#encodable = new EncodableCheck(checkEveryRecord);
    this.#sizes = sizes;
    // Nothing waits on this side.
    receiver.credit = { batchConsumed: () => this.#consumed(), announceBufferSize: (bytes) => void (this.bufferSize = bytes), backlog: 0 };
    if (roundTrip !== undefined) receiver.decoder = roundTrip;
    else receiver.recycler = (batch) => this.#recycle(batch);
  }

  get writable(): boolean {
    return (this.#receiver.held === undefined ? this.#receiver.batches : this.#receiver.unstored) < this.#limit;
  }

  send(batch: RecordBatch): RecordBatch | undefined {
    if (this.#roundTrip === undefined) {
      this.#encodable.check(batch);
      if (this.#sizes !== undefined) {
        this.sentBytes = this.#sizes.observe(batch);
        this.#receiver.bytesPerRecord = this.#sizes.bytesPerRecord;
      }
      this.#receiver.receive(batch);
      this.#updateBlocked();
      return this.#pool.pop();
    }
    const buffer = this.#roundTrip.encode(batch);
    if (this.#sizes !== undefined) this.sentBytes = buffer.byteLength;
    this.#receiver.receive(buffer);
    this.#updateBlocked();
    return batch;
  }

  sendEvent(event: ChannelEvent): void {
    this.#receiver.receive(event);
  }

  /** Nothing waits on this side: the receiver sees the barrier at once. */
  overtake(barrier: Barrier): readonly ArrayBuffer[] {
    this.#receiver.receive(barrier);
    return [];
  }

  watch(): boolean {
    return false;
  }

  #updateBlocked(): void {
    const blocked = !this.writable;
    if (blocked === this.#blocked) return;
    this.#blocked = blocked;
    if (blocked) this.#pressure.block();
    else this.#pressure.free();
  }

  #consumed(): void {
    if (this.#blocked) this.#updateBlocked();
    if (!this.flushWanted || !this.writable) return;
    this.flushWanted = false;
    this.#pressure.flushable();
  }

  #recycle(batch: RecordBatch): void {
    if (this.#pool.length >= POOLED_BATCHES) return;
    batch.values.fill(undefined, 0, batch.count);
    batch.count = 0;
    batch.marks = null;
    this.#pool.push(batch);
  }
}
