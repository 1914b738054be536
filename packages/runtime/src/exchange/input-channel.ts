import type { RecordBatch } from "@millrace/core";
import { deepFreeze } from "../chain/deep-freeze.js";
import { Barrier, EndOfChannel, EndOfInput, type ChannelElement, type ChannelEvent } from "./channel-element.js";
import { Deque } from "./deque.js";

/** Turns a received buffer back into a batch. */
export interface BufferDecoder {
  decode(buffer: ArrayBuffer): RecordBatch;
}

/** Told by a channel that its reader took a batch: the sender may send another one. */
export interface CreditReturn {
  batchConsumed(): void;
}

/**
 * The receiving end of one channel: a queue filled by the transport and emptied by the task.
 *
 * Receiving never waits for processing, so barriers and ends are visible in `waiting()` while batches before them wait; what is in flight can be enumerated.
 */
export class InputChannel {
  readonly id: number;
  /** Input of the head operator that this channel feeds. */
  inputIndex: number;
  /** Position among the channels of its gate. */
  index: number;
  /** True while a barrier of this channel waits for those of the others. */
  blockedByBarrier: boolean;
  /** The reader took the end of the channel. */
  closed: boolean;
  /** A blocking exchange: nothing is readable before the end of input arrived. */
  holdUntilEnd: boolean;
  /** Freezes what it decodes, as records are frozen that come as they are. */
  freezes: boolean;
  /** True while the channel stands in its gate's ready queue. */
  enqueued: boolean;
  /** Called when something readable arrived. */
  onReadable: ((channel: InputChannel) => void) | undefined;
  credit: CreditReturn | undefined;
  decoder: BufferDecoder | undefined;
  /** Takes a batch back that the reader is done with, when its arrays can be used again. */
  recycler: ((batch: RecordBatch) => void) | undefined;
  /** Batches that wait. */
  batches: number;
  private readonly queue: Deque<ChannelElement>;
  private endArrived: boolean;

  constructor(id: number) {
    this.id = id;
    this.inputIndex = 0;
    this.index = 0;
    this.blockedByBarrier = false;
    this.closed = false;
    this.holdUntilEnd = false;
    this.freezes = false;
    this.enqueued = false;
    this.onReadable = undefined;
    this.credit = undefined;
    this.decoder = undefined;
    this.recycler = undefined;
    this.batches = 0;
    this.queue = new Deque();
    this.endArrived = false;
  }

  /** Called by the transport, on the slot's thread. */
  receive(element: ChannelElement): void {
    this.queue.push(element);
    if (element instanceof EndOfInput) this.endArrived = true;
    else if (!isEvent(element)) {
      this.batches++;
      // A blocking exchange must take everything its producer has, however much it is.
      if (this.holdUntilEnd) this.credit?.batchConsumed();
    }
    if (this.onReadable !== undefined && this.readable) this.onReadable(this);
  }

  get readable(): boolean {
    return this.queue.length > 0 && !this.blockedByBarrier && (!this.holdUntilEnd || this.endArrived || this.queue.peek() instanceof Barrier);
  }

  /** The next element, decoded; `undefined` when there is none to read now. */
  poll(): RecordBatch | ChannelEvent | undefined {
    if (!this.readable) return undefined;
    const element = this.queue.shift()!;
    if (isEvent(element)) return element;
    this.batches--;
    const batch = element instanceof ArrayBuffer ? this.decode(element) : element;
    if (!this.holdUntilEnd) this.credit?.batchConsumed();
    return batch;
  }

  private decode(buffer: ArrayBuffer): RecordBatch {
    const batch = this.decoder!.decode(buffer);
    if (this.freezes) for (let i = 0; i < batch.count; i++) deepFreeze(batch.values[i]);
    return batch;
  }

  /** Everything received and not read, in order. */
  waiting(): Iterable<ChannelElement> {
    return this.queue;
  }

  /** Forgets what waits, when the task is over. */
  discard(): void {
    const batches = this.batches;
    this.queue.clear();
    this.batches = 0;
    if (!this.holdUntilEnd) for (let i = 0; i < batches; i++) this.credit?.batchConsumed();
  }
}

function isEvent(element: ChannelElement): element is ChannelEvent {
  return element instanceof Barrier || element instanceof EndOfInput || element instanceof EndOfChannel;
}
