import type { RecordBatch } from "@millrace/core";
import { deepFreeze } from "../chain/deep-freeze.js";
import { Barrier, EndOfChannel, EndOfInput, type ChannelElement, type ChannelEvent } from "./channel-element.js";
import { Deque } from "./deque.js";
import type { HeldMemory } from "./held-memory.js";
import type { SpillFile } from "./spill-file.js";

/** Turns a received buffer back into a batch. */
export interface BufferDecoder {
  decode(buffer: ArrayBuffer): RecordBatch;
}

/** Told by a channel that its reader took a batch: the sender may send another one. */
export interface CreditReturn {
  batchConsumed(): void;
}

/** Where a blocking exchange keeps what it holds: in memory while there is room, then in a file. */
export interface HoldingPlace {
  readonly memory: HeldMemory;
  /** Made at its first use. */
  readonly openSpillFile: () => SpillFile;
  /** The slot has credits to send. */
  readonly wake: () => void;
}

/** Stands in the queue for a buffer that is in the spill file. */
class Spilled {
  static readonly instance: Spilled = new Spilled();
  readonly kind = "spilled" as const;
}

/**
 * The receiving end of one channel: a queue filled by the transport and emptied by the task.
 *
 * Receiving never waits for processing: what has arrived is in the queue, barriers and ends included, while batches before it wait.
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
  /** Set for a blocking exchange: nothing is readable before the end of input arrived, and all of it is kept here until then. */
  held: HoldingPlace | undefined;
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
  /** Of those, the ones on their way into the spill file. */
  unstored: number;
  private readonly queue: Deque<ChannelElement | Spilled>;
  private spillFile: SpillFile | undefined;
  private endArrived: boolean;

  constructor(id: number) {
    this.id = id;
    this.inputIndex = 0;
    this.index = 0;
    this.blockedByBarrier = false;
    this.closed = false;
    this.held = undefined;
    this.freezes = false;
    this.enqueued = false;
    this.onReadable = undefined;
    this.credit = undefined;
    this.decoder = undefined;
    this.recycler = undefined;
    this.batches = 0;
    this.unstored = 0;
    this.queue = new Deque();
    this.spillFile = undefined;
    this.endArrived = false;
  }

  /** Called by the transport, on the slot's thread. */
  receive(element: ChannelElement): void {
    if (isEvent(element)) {
      this.queue.push(element);
      if (element instanceof EndOfInput) this.endArrived = true;
    } else {
      this.batches++;
      if (this.held === undefined) this.queue.push(element);
      else this.hold(element, this.held);
    }
    if (this.onReadable !== undefined && this.readable) this.onReadable(this);
  }

  get readable(): boolean {
    if (this.queue.length === 0 || this.blockedByBarrier) return false;
    if (this.held === undefined) return true;
    const first = this.queue.peek();
    return (this.endArrived || first instanceof Barrier) && (!(first instanceof Spilled) || this.spillFile!.ready);
  }

  /** The next element, decoded; `undefined` when there is none to read now. */
  poll(): RecordBatch | ChannelEvent | undefined {
    if (!this.readable) return undefined;
    const element = this.queue.shift()!;
    if (isEvent(element)) return element;
    this.batches--;
    if (this.held !== undefined) return this.takeHeld(element, this.held);
    const batch = element instanceof ArrayBuffer ? this.decode(element) : (element as RecordBatch);
    this.credit?.batchConsumed();
    return batch;
  }

  /** Takes what the producer of a blocking exchange has, however much it is: it goes on at once, or when the file has taken the buffer. */
  private hold(element: RecordBatch | ArrayBuffer, { memory, openSpillFile, wake }: HoldingPlace): void {
    if (!(element instanceof ArrayBuffer) || memory.reserve(element.byteLength)) {
      this.queue.push(element);
      this.credit?.batchConsumed();
      return;
    }
    this.queue.push(Spilled.instance);
    this.unstored++;
    if (this.spillFile === undefined) {
      this.spillFile = openSpillFile();
      this.spillFile.onReadable = () => {
        if (this.onReadable !== undefined && this.readable) this.onReadable(this);
      };
    }
    this.spillFile.append(element, () => {
      this.unstored--;
      this.credit?.batchConsumed();
      wake();
    });
  }

  private takeHeld(element: RecordBatch | ArrayBuffer | Spilled, { memory }: HoldingPlace): RecordBatch {
    if (element instanceof Spilled) return this.decode(this.spillFile!.take()!);
    if (!(element instanceof ArrayBuffer)) return element;
    memory.release(element.byteLength);
    return this.decode(element);
  }

  private decode(buffer: ArrayBuffer): RecordBatch {
    const batch = this.decoder!.decode(buffer);
    // Accumulators may go on changing.
    if (this.freezes && !batch.combined) for (let i = 0; i < batch.count; i++) deepFreeze(batch.values[i]);
    return batch;
  }

  /** Forgets what waits, when the task is over. */
  discard(): void {
    const batches = this.batches;
    if (this.held !== undefined) for (const element of this.queue) if (element instanceof ArrayBuffer) this.held.memory.release(element.byteLength);
    this.queue.clear();
    this.batches = 0;
    this.spillFile?.close();
    if (this.held === undefined) for (let i = 0; i < batches; i++) this.credit?.batchConsumed();
  }
}

function isEvent(element: ChannelElement | Spilled): element is ChannelEvent {
  return element instanceof Barrier || element instanceof EndOfInput || element instanceof EndOfChannel;
}
