import { MAX_WATERMARK, type Clock, type Mark, type MultipleInputOperator, type RecordBatch } from "@millrace/core";
import type { ChainEntry } from "../chain/chain-entry.js";
import type { ChainNode } from "../chain/chain-node.js";
import type { InFlightData } from "../checkpoint/in-flight-data.js";
import { Barrier, EndOfChannel, EndOfInput } from "../exchange/channel-element.js";
import { ChannelRecorder } from "../exchange/channel-recorder.js";
import { Deque } from "../exchange/deque.js";
import type { InputChannel } from "../exchange/input-channel.js";
import { BarrierAligner, type Alignment } from "../input/barrier-aligner.js";
import type { DebloatingSettings } from "../input/buffer-debloater.js";
import { CombinedWatermark } from "../input/combined-watermark.js";
import { InputDebloating } from "../input/input-debloating.js";
import { InputGate } from "../input/input-gate.js";
import { WatermarkValve } from "../input/watermark-valve.js";
import { ChunkSize } from "./chunk-size.js";
import type { InputProgress, TaskInput } from "./task-input.js";
import type { Turn } from "./turn.js";

/** What an input tells its task. */
export interface ChannelInputListener {
  /** All barriers are there, or one overtakes: take the snapshot before anything else is processed. */
  checkpoint(barrier: Barrier, alignment: Alignment): void;
  checkpointAbandoned(checkpointId: number, reason: string): void;
  /** All channels of input `index` have ended. */
  inputEnded(index: number): void;
  /** There is something to do. */
  wake(): void;
}

type Control = { readonly watermarkMs: number } | { readonly idle: boolean };

/** Reads a task's channels: batches through the chain, watermarks through the valves, barriers into the aligner. */
export class ChannelInput implements TaskInput {
  readonly #head: ChainNode;
  readonly #entries: readonly ChainEntry[];
  readonly #gate: InputGate;
  readonly #aligner: BarrierAligner;
  /** By input; the inputs of a window join share one. */
  readonly #valves: readonly WatermarkValve[];
  readonly #combined = new CombinedWatermark();
  readonly #valveIndex = new Map<InputChannel, number>();
  readonly #openChannels: number[];
  readonly #turn: Turn;
  readonly #clock: Clock;
  readonly #listener: ChannelInputListener;
  readonly #chunk = new ChunkSize();
  /** Watermarks and statuses on their way through the chain; a watermark may need several turns. */
  readonly #controls = new Deque<Control>();
  #channel: InputChannel | undefined;
  #batch: RecordBatch | undefined;
  #cursor = 0;
  #nextMark = 0;
  #idle = false;
  /** Starts a checkpoint whose barrier has overtaken, once what must not be interrupted is over. */
  #postponed: (() => void) | undefined;
  readonly #subtaskIndex: number;
  /** Absent when it is off, and where all exchanges are blocking. */
  readonly debloating: InputDebloating | undefined;

  constructor(
    head: ChainNode, entries: readonly ChainEntry[], channels: readonly InputChannel[], subtaskIndex: number, turn: Turn, clock: Clock,
    listener: ChannelInputListener, debloating?: DebloatingSettings,
  ) {
    this.#head = head;
    this.#entries = entries;
    this.#subtaskIndex = subtaskIndex;
    this.#turn = turn;
    this.#clock = clock;
    this.#listener = listener;
    const inputs = entries.length;
    this.#openChannels = Array.from({ length: inputs }, () => 0);
    for (const channel of channels) this.#openChannels[channel.inputIndex]!++;
    this.#valves = this.#makeValves(channels);
    if (debloating !== undefined && channels.some(({ held }) => held === undefined)) {
      this.debloating = new InputDebloating(debloating, channels, clock, { unprocessedBytes: () => this.#unprocessedBytes(), wake: () => listener.wake() });
    }
    this.#gate = new InputGate(channels, () => {
      this.debloating?.arrived();
      listener.wake();
    });
    this.#aligner = new BarrierAligner(
      channels,
      {
        aligned: (barrier, alignment) => listener.checkpoint(barrier, alignment),
        overtaking: (barrier, alignment) => {
          this.#postponed = () => listener.checkpoint(barrier, alignment);
          this.#startPostponed();
        },
        abandoned: (checkpointId, reason) => listener.checkpointAbandoned(checkpointId, reason),
        unblocked: (channel) => this.#gate.offer(channel),
      },
      clock,
    );
  }

  /** A window join is a union of its inputs as far as time is concerned, as in Flink: one valve for all. Other operators combine those of their inputs. */
  #makeValves(channels: readonly InputChannel[]): WatermarkValve[] {
    const united = this.#head.stream.spec.type === "windowJoin";
    const valveOf = (channel: InputChannel): number => (united ? 0 : channel.inputIndex);
    const counts = this.#openChannels.map(() => 0);
    for (const channel of channels) this.#valveIndex.set(channel, counts[valveOf(channel)]!++);
    const make = (index: number): WatermarkValve => {
      this.#combined.add(index);
      return new WatermarkValve(counts[index]!, { watermark: (ms) => this.#inputWatermark(index, ms), status: (idle) => this.#inputStatus(index, idle) });
    };
    if (!united) return counts.map((_, index) => make(index));
    const shared = make(0);
    return counts.map(() => shared);
  }

  process(interrupt: () => boolean): InputProgress {
    const chunk = this.#chunk;
    const started = this.#clock.monotonicMs();
    chunk.start(started);
    this.debloating?.processing(started);
    for (;;) {
      if (!this.#advanceControls()) return "more";
      if (this.#postponed !== undefined) this.#startPostponed();
      if (interrupt() || this.#turn.blocked) return "more";
      let records = 0;
      if (this.#batch !== undefined) records = this.#chunkOfBatch(this.#batch);
      else if (!this.#take()) return this.#nothingToTake();
      if (records > 1 && this.#channel!.overtakable && interrupt()) chunk.waits();
      if (!chunk.step(records)) continue;
      const now = this.#clock.monotonicMs();
      chunk.finish(now);
      if (this.#turn.overAt(now)) return "more";
    }
  }

  #nothingToTake(): InputProgress {
    this.debloating?.waiting();
    return this.#openChannels.every((open) => open === 0) ? "ended" : "waiting";
  }

  #unprocessedBytes(): number {
    const { count } = this.#batch ?? { count: 0 };
    return count === 0 ? 0 : (this.#channel!.lastBytes * (count - this.#cursor)) / count;
  }

  get closed(): boolean {
    return this.#gate.channels.every((channel) => channel.closed);
  }

  triggerCheckpoint(barrier: Barrier): void {
    this.#aligner.trigger(barrier);
  }

  checkpointAborted(checkpointId: number): void {
    this.#aligner.cancel(checkpointId);
  }

  recordInFlight(checkpointId: number, data: InFlightData): boolean {
    const channels = this.#aligner.overtaken(checkpointId);
    if (channels === undefined) return false;
    data.unaligned = true;
    const { id } = this.#head.plan;
    for (const channel of channels) {
      const recorder = new ChannelRecorder(checkpointId, data, { operatorId: id, edgeId: channel.edgeId, from: channel.sender, to: this.#subtaskIndex, side: "input" });
      if (channel === this.#channel && this.#batch !== undefined) recorder.add(this.#batch, this.#cursor, this.#nextMark);
      channel.record(recorder);
    }
    return true;
  }

  /**
   * The end of time is one step: operators emit at it what they do not remember to have emitted. And restored records that found a new subtask must
   * all be processed before a snapshot, since what comes over the other channels is newer.
   */
  #startPostponed(): void {
    const control = this.#controls.peek();
    if (control !== undefined && "watermarkMs" in control && control.watermarkMs === MAX_WATERMARK) return;
    if (this.#gate.channels.some((channel) => channel.blockedByRecovery)) return;
    const start = this.#postponed;
    this.#postponed = undefined;
    start?.();
  }

  discard(): void {
    this.#aligner.close();
    this.debloating?.stop();
    this.#postponed = undefined;
    for (const channel of this.#gate.channels) {
      channel.onReadable = undefined;
      channel.discard();
    }
    this.#batch = undefined;
  }

  /** Takes one element. @returns false when there is none. */
  #take(): boolean {
    const selectable = (this.#head.operator as MultipleInputOperator | undefined)?.selectableInputs?.();
    const channel = this.#gate.next(selectable);
    if (channel === undefined) return false;
    const element = channel.poll();
    if (element instanceof Barrier) this.#aligner.barrier(channel, element);
    else if (element instanceof EndOfInput) this.#end(channel.inputIndex);
    else if (element instanceof EndOfChannel) this.#close(channel);
    else if (element !== undefined) {
      this.#channel = channel;
      this.#batch = element;
      this.#cursor = 0;
      this.#nextMark = 0;
    }
    this.#gate.offer(channel);
    return true;
  }

  #end(input: number): void {
    if (--this.#openChannels[input]! === 0) this.#listener.inputEnded(input);
  }

  #close(channel: InputChannel): void {
    channel.closed = true;
    if (this.closed) this.debloating?.stop();
    this.#aligner.channelClosed();
  }

  /** Handles a mark, or runs the records up to the next one through the chain, not too many at a time. @returns how many */
  #chunkOfBatch(batch: RecordBatch): number {
    const mark = batch.marks?.[this.#nextMark];
    if (mark !== undefined && mark.at <= this.#cursor) {
      this.#nextMark++;
      this.#handleMark(mark);
      this.#dropFinished(batch);
      return 0;
    }
    const from = this.#cursor;
    const to = Math.min(mark === undefined ? batch.count : mark.at, from + this.#chunk.records);
    if (to > from) {
      this.#cursor = to;
      this.#entries[this.#channel!.inputIndex]!(batch, from, to);
    }
    this.#dropFinished(batch);
    return to - from;
  }

  #dropFinished(batch: RecordBatch): void {
    if (this.#cursor < batch.count || (batch.marks !== null && this.#nextMark < batch.marks.length)) return;
    this.#batch = undefined;
    this.#channel!.release(batch);
  }

  #handleMark(mark: Mark): void {
    const channel = this.#channel!;
    const valve = this.#valves[channel.inputIndex]!;
    const index = this.#valveIndex.get(channel)!;
    if (mark.kind === "watermark") valve.inputWatermark(mark.timestampMs, index);
    else if (mark.kind === "status") valve.inputStatus(mark.idle, index);
    else this.#head.receiveLatencyMark(mark.markedTimeMs, mark.operatorId, mark.subtaskIndex);
  }

  #inputWatermark(input: number, watermarkMs: number): void {
    if (this.#combined.setWatermark(input, watermarkMs)) this.#controls.push({ watermarkMs: this.#combined.watermarkMs });
  }

  #inputStatus(input: number, idle: boolean): void {
    if (this.#combined.setIdle(input, idle)) this.#controls.push({ watermarkMs: this.#combined.watermarkMs });
    if (this.#combined.idle !== this.#idle) this.#controls.push({ idle: (this.#idle = this.#combined.idle) });
  }

  /** @returns false when a watermark was interrupted. */
  #advanceControls(): boolean {
    for (let control = this.#controls.peek(); control !== undefined; control = this.#controls.peek()) {
      if ("idle" in control) this.#head.receiveStatus(control.idle);
      else if (!this.#head.advanceWatermark(control.watermarkMs, this.#turn.interrupted)) return false;
      this.#controls.shift();
    }
    return true;
  }
}

