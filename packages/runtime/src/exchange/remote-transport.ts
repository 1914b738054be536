import type { RecordBatch } from "@millrace/core";
import { Barrier, type ChannelEvent } from "./channel-element.js";
import { Deque } from "./deque.js";
import type { CreditReturn } from "./input-channel.js";
import { MOST_BUFFER_BYTES, type ChannelTransport, type OutputPressure } from "./output-channel.js";
import type { PeerConnection } from "./peer-connection.js";

/** Turns batches into self-describing buffers. One per channel, since it learns the shape of what it sees. */
export interface BufferEncoder {
  encode(batch: RecordBatch): ArrayBuffer;
}

/** The sending half of a channel to another slot: encodes, posts while there is credit, and queues the rest. */
export class RemoteTransport implements ChannelTransport {
  readonly channelId: number;
  flushWanted = false;
  sentBytes = 0;
  bufferSize: number = MOST_BUFFER_BYTES;
  readonly #connection: PeerConnection;
  readonly #encoder: BufferEncoder;
  readonly #pressure: OutputPressure;
  readonly #pending = new Deque<ArrayBuffer | ChannelEvent>();
  #pendingBuffers = 0;
  #credits: number;
  /** A barrier that waits among the buffers, and who wants to know when it goes. */
  #watched: { readonly checkpointId: number; readonly left: () => void } | undefined;

  constructor(channelId: number, connection: PeerConnection, encoder: BufferEncoder, credits: number, pressure: OutputPressure) {
    this.channelId = channelId;
    this.#connection = connection;
    this.#encoder = encoder;
    this.#credits = credits;
    this.#pressure = pressure;
    connection.registerSender(this);
  }

  get writable(): boolean {
    return this.#credits > 0 && this.#pending.length === 0;
  }

  send(batch: RecordBatch): RecordBatch {
    const buffer = this.#encoder.encode(batch);
    this.sentBytes = buffer.byteLength;
    if (this.writable) this.#post(buffer);
    else {
      if (this.#pendingBuffers++ === 0) this.#pressure.block();
      this.#pending.push(buffer);
    }
    // Encoded: the arrays can be filled again, and must not keep the records alive.
    batch.values.fill(undefined, 0, batch.count);
    return batch;
  }

  sendEvent(event: ChannelEvent): void {
    if (this.#pending.length > 0) this.#pending.push(event);
    else this.#connection.postEvent(this.channelId, event);
  }

  overtake(barrier: Barrier): readonly ArrayBuffer[] {
    const overtaken: ArrayBuffer[] = [];
    let over = false;
    for (let left = this.#pending.length; left > 0; left--) {
      const element = this.#pending.shift()!;
      if (element instanceof Barrier && element.checkpointId === barrier.checkpointId) {
        over = true;
        continue;
      }
      if (!over && element instanceof ArrayBuffer) overtaken.push(element);
      this.#pending.push(element);
    }
    this.#watched = undefined;
    this.#connection.postEvent(this.channelId, barrier);
    return overtaken;
  }

  watch(checkpointId: number, left: () => void): boolean {
    // What was sent behind buffers waits as long as they do.
    if (this.#pending.length === 0) return false;
    this.#watched = { checkpointId, left };
    return true;
  }

  addCredits(credits: number): void {
    this.#credits += credits;
    while (this.#pending.length > 0) {
      const next = this.#pending.peek()!;
      if (next instanceof ArrayBuffer) {
        if (this.#credits === 0) return;
        this.#pending.shift();
        this.#pendingBuffers--;
        this.#post(next);
        if (this.#pendingBuffers === 0) this.#pressure.free();
      } else {
        this.#pending.shift();
        this.#connection.postEvent(this.channelId, next);
        if (next instanceof Barrier && next.checkpointId === this.#watched?.checkpointId) this.#barrierLeft();
      }
    }
    if (!this.flushWanted || !this.writable) return;
    this.flushWanted = false;
    this.#pressure.flushable();
  }

  #barrierLeft(): void {
    const { left } = this.#watched!;
    this.#watched = undefined;
    left();
  }

  #post(buffer: ArrayBuffer): void {
    this.#credits--;
    this.#connection.postBuffer(this.channelId, buffer, this.#pendingBuffers);
  }
}

/**
 * The receiving half's credit account: one credit back per batch consumed, and extra ones while the sender reports a backlog.
 *
 * The sender starts with a fixed number of credits, known to both sides; the extra ("floating") credits are taken back as the backlog goes.
 */
export class RemoteCredit implements CreditReturn {
  readonly #channelId: number;
  readonly #connection: PeerConnection;
  readonly #floatingLimit: number;
  backlog = 0;
  #floating = 0;

  constructor(channelId: number, connection: PeerConnection, floatingLimit: number) {
    this.#channelId = channelId;
    this.#connection = connection;
    this.#floatingLimit = floatingLimit;
  }

  /** An element came with the number of buffers that wait behind it. */
  received(buffers: number): void {
    this.backlog = buffers;
    const extra = Math.min(buffers, this.#floatingLimit - this.#floating);
    if (extra <= 0) return;
    this.#floating += extra;
    this.#connection.returnCredits(this.#channelId, extra);
  }

  batchConsumed(): void {
    if (this.#floating > 0 && this.backlog === 0) this.#floating--;
    else this.#connection.returnCredits(this.#channelId, 1);
  }

  announceBufferSize(bytes: number): void {
    this.#connection.announceBufferSize(this.#channelId, bytes);
  }
}
