import { RecordBatch, type Mark } from "@millrace/core";
import type { InFlightData, InFlightPlace } from "../checkpoint/in-flight-data.js";
import type { Barrier, ChannelEvent } from "./channel-element.js";

/** Counts the channels of one task that have more than they may send; the task takes no input while there are any. */
export class OutputPressure {
  blockedChannels: number;
  /** Called when the last blocked channel is free again, and when a channel that was refused an idle flush has room. */
  onFree: (() => void) | undefined;

  constructor() {
    this.blockedChannels = 0;
    this.onFree = undefined;
  }
  block(): void {
    this.blockedChannels++;
  }
  free(): void {
    if (--this.blockedChannels === 0) this.onFree?.();
  }
  /** A channel whose idle flush was refused can send again. */
  flushable(): void {
    this.onFree?.();
  }
}

/** Carries finished buffers and events of one channel to its receiver, in order. */
export interface ChannelTransport {
  /**
   * Sends a batch, or keeps it until there is credit.
   * @returns a batch whose arrays the sender may fill next, or `undefined` when it must make a new one.
   */
  send(batch: RecordBatch): RecordBatch | undefined;
  sendEvent(event: ChannelEvent): void;
  /** Sends a barrier past the buffers that wait here for credit, whether it waits among them or is new. @returns those it overtook, which stay */
  overtake(barrier: Barrier): readonly ArrayBuffer[];
  /** Whether the barrier of this checkpoint, which was sent in order, waits here for credit; `left` is called when it goes on its own. */
  watch(checkpointId: number, left: () => void): boolean;
  /** Whether a buffer sent now would leave at once; an idle flush waits otherwise. */
  readonly writable: boolean;
  /** An idle flush was refused: wake the task as soon as the channel is writable. */
  flushWanted: boolean;
  /** Bytes of the last buffer, on edges that encode; elsewhere about, where buffers are debloated, or 0. */
  readonly sentBytes: number;
  /** What a buffer should have at most, in bytes, as the receiver last said. */
  readonly bufferSize: number;
}

/** Of records so large that a full buffer of them would be larger, fewer go into one: what is on the way is counted in buffers. */
export const MOST_BUFFER_BYTES: number = 1 << 18;
const SMALLEST_BUFFER = 32;
/** How many times as large a full buffer could be before more records go into one. */
const ROOM_TO_GROW = 1.25;

/** The sending end of one channel: the buffer under construction. One hidden class for all kinds of edges, since `append` runs once per record. */
export class OutputChannel {
  private values: unknown[];
  private timestampsMs: Float64Array;
  private keyHashes: Int32Array;
  private marks: Mark[] | null;
  private count: number;
  private room: number;
  private batch: RecordBatch;
  private capacity: number;
  private readonly mostRecords: number;
  private readonly hashed: boolean;
  private combined: boolean;
  private readonly transport: ChannelTransport;
  /** Where records are that wait here; `undefined` when barriers never overtake on this edge. */
  private readonly place: InFlightPlace | undefined;
  /** Set while the barrier of a checkpoint waits here that may overtake later. */
  private waiting: { readonly checkpointId: number; readonly data: InFlightData } | undefined;
  /** Buffers sent. */
  buffersOut: number;

  constructor(transport: ChannelTransport, capacity: number, hashed: boolean, place?: InFlightPlace) {
    this.transport = transport;
    this.place = place;
    this.waiting = undefined;
    this.capacity = capacity;
    this.mostRecords = capacity;
    this.hashed = hashed;
    this.combined = false;
    this.count = 0;
    this.marks = null;
    this.buffersOut = 0;
    this.room = 0;
    this.values = [];
    this.timestampsMs = new Float64Array(0);
    this.keyHashes = new Int32Array(0);
    this.batch = newBatch(Math.min(SMALLEST_BUFFER, capacity), hashed);
    this.use(this.batch);
  }

  append(value: unknown, timestampMs: number): void {
    const at = this.count;
    if (at === this.room) return this.appendSlow(value, timestampMs, 0);
    this.values[at] = value;
    this.timestampsMs[at] = timestampMs;
    this.count = at + 1;
  }

  appendHashed(value: unknown, timestampMs: number, hash: number): void {
    const at = this.count;
    if (at === this.room) return this.appendSlow(value, timestampMs, hash);
    this.values[at] = value;
    this.timestampsMs[at] = timestampMs;
    this.keyHashes[at] = hash;
    this.count = at + 1;
  }

  /**
   * Puts a control element at the current position; `flush` decides when it leaves. Every watermark is delivered, as in Flink: functions see which one it
   * was, and must not see another when buffers leave later. A buffer is full of marks as it is of records.
   */
  appendMark(kind: "watermark", timestampMs: number): void;
  appendMark(kind: "status", idle: boolean): void;
  appendMark(kind: "watermark" | "status", value: number | boolean): void {
    const at = this.count;
    const mark: Mark = kind === "watermark" ? { at, kind, timestampMs: value as number } : { at, kind, idle: value as boolean };
    if (this.marks === null) this.marks = [mark];
    else if (this.marks.push(mark) >= this.capacity) this.flush();
  }

  appendLatencyMark(markedTimeMs: number, operatorId: string, subtaskIndex: number): void {
    (this.marks ??= []).push({ at: this.count, kind: "latency", markedTimeMs, operatorId, subtaskIndex });
  }

  /** Sends what is there. With `onlyIfWritable`, keeps filling the buffer when it could not leave anyway. */
  flush(onlyIfWritable = false): void {
    if (this.count === 0 && this.marks === null) return;
    if (onlyIfWritable && !this.transport.writable) {
      this.transport.flushWanted = true;
      return;
    }
    const batch = this.batch;
    batch.count = this.count;
    batch.marks = this.marks;
    this.count = 0;
    this.marks = null;
    this.buffersOut++;
    const records = batch.count;
    const next = this.transport.send(batch);
    const { sentBytes, bufferSize } = this.transport;
    if (sentBytes > bufferSize || this.capacity < this.mostRecords) this.fit(records, sentBytes, bufferSize);
    this.use(next ?? newBatch(Math.min(this.capacity, this.room), this.hashed));
  }

  /** Chooses how many records go into the next buffer, of `most` bytes, after `records` of them made one of `bytes`. */
  private fit(records: number, bytes: number, most: number): void {
    if (bytes > most) this.capacity = Math.max(1, Math.min(this.capacity, Math.floor((records * most) / bytes)));
    else if (records >= this.capacity && bytes * ROOM_TO_GROW <= most) {
      this.capacity = Math.min(this.mostRecords, this.capacity * 2, Math.floor((records * most) / bytes));
    }
  }

  /** What is appended from now on are pairs of a key and an accumulator, or records again. */
  setCombined(combined: boolean): void {
    this.flush();
    this.combined = combined;
    this.batch.combined = combined;
  }

  sendEvent(event: ChannelEvent): void {
    this.flush();
    this.transport.sendEvent(event);
  }

  /** Sends a barrier in order, or past what waits here; in order for now, the data is open until the barrier has left or overtaken. */
  sendBarrier(barrier: Barrier, data: InFlightData): void {
    this.flush();
    const { place, transport } = this;
    if (place === undefined) return transport.sendEvent(barrier);
    if (barrier.unaligned) return this.takeOvertaken(barrier, data, place);
    transport.sendEvent(barrier);
    if (barrier.options.unalignedAfterMs === undefined) return;
    const { checkpointId } = barrier;
    const waits = transport.watch(checkpointId, () => {
      if (this.waiting?.checkpointId !== checkpointId) return;
      this.waiting = undefined;
      data.close();
    });
    if (!waits) return;
    this.waiting = { checkpointId, data };
    data.open();
  }

  /** The barrier has waited long enough, if it still does. */
  overtake(barrier: Barrier): void {
    const { waiting, place } = this;
    if (waiting?.checkpointId !== barrier.checkpointId) return;
    this.waiting = undefined;
    this.takeOvertaken(barrier, waiting.data, place!);
    waiting.data.close();
  }

  private takeOvertaken(barrier: Barrier, data: InFlightData, place: InFlightPlace): void {
    data.unaligned = true;
    for (const buffer of this.transport.overtake(barrier)) data.add(place, buffer);
  }

  private use(batch: RecordBatch): void {
    this.batch = batch;
    batch.combined = this.combined;
    this.values = batch.values;
    this.timestampsMs = batch.timestampsMs;
    if (this.hashed) this.keyHashes = batch.keyHashes!;
    this.room = Math.min(this.timestampsMs.length, this.capacity);
  }

  private appendSlow(value: unknown, timestampMs: number, hash: number): void {
    if (this.room < this.capacity) this.grow();
    else this.flush();
    if (this.hashed) this.appendHashed(value, timestampMs, hash);
    else this.append(value, timestampMs);
  }

  private grow(): void {
    const larger = newBatch(Math.min(this.capacity, this.room * 4), this.hashed);
    for (let i = 0; i < this.count; i++) larger.values[i] = this.values[i];
    larger.timestampsMs.set(this.timestampsMs.subarray(0, this.count));
    if (this.hashed) larger.keyHashes!.set(this.keyHashes.subarray(0, this.count));
    this.use(larger);
  }
}

function newBatch(size: number, hashed: boolean): RecordBatch {
  // Filled, so that all value arrays have one elements kind and the store in `append` stays monomorphic.
  const batch = new RecordBatch<unknown>(new Array<unknown>(size).fill(undefined), new Float64Array(size), 0);
  if (hashed) batch.keyHashes = new Int32Array(size);
  return batch;
}
