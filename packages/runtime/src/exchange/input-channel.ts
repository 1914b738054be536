import type { RecordBatch } from "@millrace/core";
import { deepFreeze } from "../chain/deep-freeze.js";
import { Barrier, EndOfChannel, EndOfInput, type ChannelElement, type ChannelEvent } from "./channel-element.js";
import type { ChannelRecorder } from "./channel-recorder.js";
import { Deque } from "./deque.js";
import type { HeldMemory } from "./held-memory.js";
import type { SpillFile } from "./spill-file.js";

/** Turns a received buffer back into a batch. */
export interface BufferDecoder {
  decode(buffer: ArrayBuffer): RecordBatch;
}

/** What a channel's reader tells its sender. */
export interface CreditReturn {
  /** A batch was taken: the sender may send another one. */
  batchConsumed(): void;
  /** Buffers should have about so many bytes from now on. */
  announceBufferSize(bytes: number): void;
  /** Buffers that wait at the sender for credit, as it last said. */
  readonly backlog: number;
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

/** A batch that was on its way when a checkpoint was taken, and is restored with it: it had no credit here. */
class Recovered {
  readonly batch: RecordBatch;
  readonly kind = "recovered" as const;

  constructor(batch: RecordBatch) {
    this.batch = batch;
  }
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
  /** The channel's edge, and the subtask that sends. */
  edgeId: string;
  sender: number;
  /** Position among the channels of its gate. */
  index: number;
  /** True while a barrier of this channel waits for those of the others. */
  blockedByBarrier: boolean;
  /** True while records of the edge that were restored wait in another channel of it. */
  blockedByRecovery: boolean;
  /** Barriers may overtake what waits here. */
  overtakable: boolean;
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
  /** Called when a barrier arrived that may overtake what is before it; the barrier waits in the queue, too. */
  onBarrier: ((barrier: Barrier) => void) | undefined;
  /** Called when the last restored batch was processed. */
  onRecovered: (() => void) | undefined;
  credit: CreditReturn | undefined;
  decoder: BufferDecoder | undefined;
  /** Takes a batch back that the reader is done with, when its arrays can be used again. */
  recycler: ((batch: RecordBatch) => void) | undefined;
  /** Batches that wait. */
  batches: number;
  /** Of those, the ones on their way into the spill file. */
  unstored: number;
  /** Restored batches that wait or are being processed. */
  recovering: number;
  /** There are sums among what was restored. */
  recoveredCombined: boolean;
  /** Bytes of the batches that were read and had come encoded. */
  bytesRead: number;
  /** Bytes of the batches that were taken; where they come as they are, and their sender estimates them, about. Without those of blocking exchanges and of checkpoints. */
  bytesTaken: number;
  /** Of the batch that was taken last, and of the largest one. */
  lastBytes: number;
  largestBytes: number;
  /** How large the records are of batches that come as they are; 0 when their sender does not say. */
  bytesPerRecord: number;
  private readonly queue: Deque<ChannelElement | Spilled | Recovered>;
  private recoveredBatch: RecordBatch | undefined;
  /** Set while an unaligned checkpoint waits for this channel's barrier. */
  private recorder: ChannelRecorder | undefined;
  private spillFile: SpillFile | undefined;
  private endArrived: boolean;

  constructor(id: number) {
    this.id = id;
    this.inputIndex = 0;
    this.edgeId = "";
    this.sender = 0;
    this.index = 0;
    this.blockedByBarrier = false;
    this.blockedByRecovery = false;
    this.overtakable = false;
    this.closed = false;
    this.held = undefined;
    this.freezes = false;
    this.enqueued = false;
    this.onReadable = undefined;
    this.onBarrier = undefined;
    this.onRecovered = undefined;
    this.credit = undefined;
    this.decoder = undefined;
    this.recycler = undefined;
    this.batches = 0;
    this.unstored = 0;
    this.recovering = 0;
    this.recoveredCombined = false;
    this.bytesRead = 0;
    this.bytesTaken = 0;
    this.lastBytes = 0;
    this.largestBytes = 0;
    this.bytesPerRecord = 0;
    this.queue = new Deque();
    this.recoveredBatch = undefined;
    this.recorder = undefined;
    this.spillFile = undefined;
    this.endArrived = false;
  }

  /** Called by the transport, on the slot's thread. */
  receive(element: ChannelElement): void {
    if (isEvent(element)) {
      if (this.recorder?.ends(element) === true) {
        this.recorder = undefined;
        // The checkpoint has passed this channel already.
        if (element instanceof Barrier) return;
      }
      this.queue.push(element);
      if (element instanceof EndOfInput) this.endArrived = true;
      else if (element instanceof Barrier && this.overtakable) this.onBarrier?.(element);
    } else {
      this.batches++;
      this.recorder?.add(element);
      if (this.held === undefined) this.queue.push(element);
      else this.hold(element, this.held);
    }
    if (this.onReadable !== undefined && this.readable) this.onReadable(this);
  }

  get readable(): boolean {
    if (this.queue.length === 0 || this.blockedByBarrier || this.blockedByRecovery) return false;
    if (this.held === undefined) return true;
    const first = this.queue.peek();
    return (this.endArrived || first instanceof Barrier) && (!(first instanceof Spilled) || this.spillFile!.ready);
  }

  /** The next element, decoded; `undefined` when there is none to read now. */
  poll(): RecordBatch | ChannelEvent | undefined {
    if (!this.readable) return undefined;
    const element = this.queue.shift()!;
    if (isEvent(element)) return element;
    if (element instanceof Recovered) return (this.recoveredBatch = element.batch);
    this.batches--;
    if (this.held !== undefined) return this.takeHeld(element, this.held);
    const batch = this.decoded(element as RecordBatch | ArrayBuffer);
    this.credit?.batchConsumed();
    return batch;
  }

  private decoded(element: RecordBatch | ArrayBuffer): RecordBatch {
    const encoded = element instanceof ArrayBuffer;
    const bytes = encoded ? element.byteLength : element.count * this.bytesPerRecord;
    this.bytesTaken += bytes;
    this.lastBytes = bytes;
    if (bytes > this.largestBytes) this.largestBytes = bytes;
    return encoded ? this.decode(element) : element;
  }

  /** The reader is done with a batch that it took. */
  release(batch: RecordBatch): void {
    if (batch !== this.recoveredBatch) {
      this.recycler?.(batch);
      return;
    }
    this.recoveredBatch = undefined;
    if (--this.recovering === 0) this.onRecovered?.();
  }

  /** Puts batches that were in flight when the checkpoint was taken before everything that comes. Called at most once, before the task reads anything. */
  recover(batches: readonly RecordBatch[]): void {
    const waiting = this.queue.length;
    for (const batch of batches) {
      if (this.freezes && !batch.combined) for (let i = 0; i < batch.count; i++) deepFreeze(batch.values[i]);
      this.queue.push(new Recovered(batch));
      this.recoveredCombined ||= batch.combined;
    }
    this.recovering += batches.length;
    for (let i = 0; i < waiting; i++) this.queue.push(this.queue.shift()!);
  }

  /** The restored records of the edge have been processed. */
  unblockAfterRecovery(): void {
    this.blockedByRecovery = false;
    if (this.onReadable !== undefined && this.readable) this.onReadable(this);
  }

  /**
   * Gives an unaligned checkpoint all that waits here before its barrier, which goes; when the barrier has not come, also what arrives until it does.
   */
  record(recorder: ChannelRecorder): void {
    let over = false;
    for (let left = this.queue.length; left > 0; left--) {
      const element = this.queue.shift()!;
      if (!over && isEvent(element)) {
        over = recorder.ends(element);
        if (over && element instanceof Barrier) continue;
      } else if (!over) recorder.add(element instanceof Recovered ? element.batch : (element as RecordBatch | ArrayBuffer));
      this.queue.push(element);
    }
    if (!over) this.recorder = recorder;
  }

  /** The checkpoint is over. @returns whether it still waited for this channel's barrier */
  stopRecording(): boolean {
    const recorded = this.recorder !== undefined;
    this.recorder = undefined;
    return recorded;
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
    this.bytesRead += buffer.byteLength;
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
    this.recorder = undefined;
    this.batches = 0;
    this.spillFile?.close();
    if (this.held === undefined) for (let i = 0; i < batches; i++) this.credit?.batchConsumed();
  }
}

function isEvent(element: ChannelElement | Spilled | Recovered): element is ChannelEvent {
  return element instanceof Barrier || element instanceof EndOfInput || element instanceof EndOfChannel;
}
