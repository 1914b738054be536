import type { Cancellable, Clock } from "@millrace/core";
import type { InputChannel } from "../exchange/input-channel.js";
import { MOST_BUFFER_BYTES } from "../exchange/output-channel.js";
import { BufferDebloater, type DebloatingSettings } from "./buffer-debloater.js";
import { ThroughputMeter } from "./throughput-meter.js";

/** What the input that is debloated does and tells. */
export interface DebloatedInput {
  /** Bytes of the batch being processed that are not processed yet. */
  unprocessedBytes(): number;
  /** Lets the slot make a pass: senders were told something, which leaves at its end. */
  wake(): void;
}

/**
 * Buffer debloating (FLIP-183) of one task: every period it measures what the task takes, and tells the senders of its channels how large their buffers should be.
 *
 * Blocking exchanges are left out: they are stored whole, and no barrier waits in them. Nothing here runs per record, and per batch only what the channels count.
 */
export class InputDebloating {
  readonly #channels: readonly InputChannel[];
  readonly #settings: DebloatingSettings;
  readonly #clock: Clock;
  readonly #input: DebloatedInput;
  readonly #meter = new ThroughputMeter();
  readonly #debloater: BufferDebloater;
  #timer: Cancellable | undefined;
  /** The task has found nothing to read, and nothing has come since. */
  #idle = false;

  constructor(settings: DebloatingSettings, channels: readonly InputChannel[], clock: Clock, input: DebloatedInput) {
    this.#settings = settings;
    this.#channels = channels.filter(({ held }) => held === undefined);
    this.#clock = clock;
    this.#input = input;
    this.#debloater = new BufferDebloater(settings, settings.smallestBytes);
    this.#schedule();
  }

  get bufferSize(): number {
    return this.#debloater.bufferSize;
  }

  get estimatedTimeMs(): number {
    return this.#debloater.estimatedTimeMs;
  }

  /** The task runs and looks for something to read. */
  processing(nowMs: number): void {
    this.#idle = false;
    this.#meter.activeFrom(nowMs);
  }

  /** It has found nothing. */
  waiting(): void {
    this.#idle = true;
    this.#meter.idleFrom(this.#clock.monotonicMs());
  }

  /** Something readable has come. What comes before the task runs is not its affair yet. */
  arrived(): void {
    if (this.#idle) this.processing(this.#clock.monotonicMs());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(): void {
    // Whatever the option says, the slot has other things to do as well.
    this.#timer = this.#clock.setTimer(Math.max(1, this.#settings.periodMs), () => {
      this.#schedule();
      this.#sample();
    });
  }

  #sample(): void {
    let taken = -this.#input.unprocessedBytes();
    let largest = 0;
    let buffersInUse = 0;
    let recovering = 0;
    for (const channel of this.#channels) {
      taken += channel.bytesTaken;
      largest = Math.max(largest, channel.largestBytes);
      buffersInUse += channel.batches + (channel.credit?.backlog ?? 0);
      recovering += channel.recovering;
    }
    // What a checkpoint brought back says nothing about what the senders send.
    const now = this.#clock.monotonicMs();
    if (recovering > 0) return this.#meter.skip(taken, now);
    const bytesPerSecond = this.#meter.measure(taken, now);
    if (bytesPerSecond === undefined) return;
    this.#debloater.raiseLargest(Math.min(Math.ceil(largest), MOST_BUFFER_BYTES));
    if (this.#debloater.sample(bytesPerSecond, buffersInUse)) this.#announce();
  }

  #announce(): void {
    const bytes = this.#debloater.unlimited ? MOST_BUFFER_BYTES : this.#debloater.bufferSize;
    for (const channel of this.#channels) if (!channel.closed) channel.credit?.announceBufferSize(bytes);
    this.#input.wake();
  }
}
