import type { Cancellable, Clock } from "@millrace/core";
import type { Barrier } from "../exchange/channel-element.js";
import type { InputChannel } from "../exchange/input-channel.js";

/** How one alignment went. */
export interface Alignment {
  /** When the first barrier came, by the monotonic clock. */
  readonly startedMs: number;
  /** Until the last one came; `undefined` when the snapshot does not wait for it. */
  readonly durationMs: number | undefined;
  /** Bytes from other slots that were processed meanwhile. */
  readonly processedBytes: number;
}

/** What an aligner tells its task. */
export interface AlignmentListener {
  /** Every channel has delivered the barrier or was closed: take the snapshot now. */
  aligned(barrier: Barrier, alignment: Alignment): void;
  /** The barrier overtakes: take the snapshot as soon as possible, and ask {@link BarrierAligner.overtaken} at its instant. */
  overtaking(barrier: Barrier, alignment: Alignment): void;
  /** A newer barrier overtook this checkpoint, or it was cancelled. */
  abandoned(checkpointId: number, reason: string): void;
  /** The channel can be read again. */
  unblocked(channel: InputChannel): void;
}

/**
 * Aligns the barriers of a task's channels: a channel that delivered one is not read until all others have, or were closed.
 *
 * Where barriers may overtake, an unaligned one ends the alignment when it arrives, and one with a timeout when that has passed: the snapshot is taken
 * at once, with what waits in channels that have not delivered their barrier.
 */
export class BarrierAligner {
  readonly #channels: readonly InputChannel[];
  readonly #listener: AlignmentListener;
  readonly #clock: Pick<Clock, "monotonicMs" | "nowMs" | "setTimer">;
  /** The checkpoint being aligned. */
  #barrier: Barrier | undefined;
  /** The checkpoint whose barrier has overtaken, and whose snapshot has not been taken yet. */
  #overtaking: Barrier | undefined;
  /** Channels that have delivered the barrier of either. */
  #arrived = new Set<InputChannel>();
  #startedMs = 0;
  #bytesBefore = 0;
  #timer: Cancellable | undefined;
  /** Barriers up to here are late: their checkpoint is over for this task. */
  #lastId = -1;

  constructor(channels: readonly InputChannel[], listener: AlignmentListener, clock: Pick<Clock, "monotonicMs" | "nowMs" | "setTimer">) {
    this.#channels = channels;
    this.#listener = listener;
    this.#clock = clock;
    for (const channel of channels) channel.onBarrier = (barrier) => this.#announced(barrier);
  }

  get aligning(): boolean {
    return this.#barrier !== undefined;
  }

  /** The reader has taken a barrier out of its channel. */
  barrier(channel: InputChannel, barrier: Barrier): void {
    if (this.#overtaking?.checkpointId !== barrier.checkpointId && !this.#begin(barrier)) return;
    this.#arrived.add(channel);
    channel.blockedByBarrier = true;
    this.#completeIfAligned();
  }

  /** Asks for a checkpoint without a barrier: taken once every channel has delivered it or was closed. */
  trigger(barrier: Barrier): void {
    if (!this.#begin(barrier)) return;
    if (this.#channels.every((channel) => channel.overtakable || channel.closed)) this.#mayOvertake(barrier);
    this.#completeIfAligned();
  }

  channelClosed(): void {
    this.#completeIfAligned();
  }

  /**
   * The instant of the snapshot: channels can be read again.
   * @returns those whose barrier has not been taken out yet; `undefined` when the checkpoint was given up meanwhile.
   */
  overtaken(checkpointId: number): readonly InputChannel[] | undefined {
    if (this.#overtaking?.checkpointId !== checkpointId) return undefined;
    this.#overtaking = undefined;
    const arrived = this.#arrived;
    this.#release();
    return this.#channels.filter((channel) => !channel.closed && !arrived.has(channel));
  }

  cancel(checkpointId: number): void {
    if (this.#barrier?.checkpointId === checkpointId || this.#overtaking?.checkpointId === checkpointId) this.#abandon("it was aborted");
    else if (checkpointId === this.#lastId) for (const channel of this.#channels) channel.stopRecording();
    if (checkpointId > this.#lastId) this.#lastId = checkpointId;
  }

  /** Nothing is aligned any more. */
  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const channel of this.#channels) channel.onBarrier = undefined;
  }

  /** A barrier has arrived that may overtake. */
  #announced(barrier: Barrier): void {
    if (barrier.options.unalignedAfterMs !== undefined && this.#begin(barrier)) this.#mayOvertake(barrier);
  }

  #mayOvertake(barrier: Barrier): void {
    const inMs = barrier.overtakesInMs(this.#clock.nowMs());
    if (inMs === 0) this.#overtake(barrier);
    else if (inMs !== undefined) this.#timer ??= this.#clock.setTimer(inMs, () => this.#overtake(barrier));
  }

  #overtake(barrier: Barrier): void {
    if (this.#barrier?.checkpointId !== barrier.checkpointId) return;
    this.#endAlignment(barrier.checkpointId);
    this.#overtaking = barrier.overtaking();
    this.#listener.overtaking(this.#overtaking, this.#alignment(undefined));
  }

  /** @returns false for a barrier of a checkpoint that is already over. */
  #begin(barrier: Barrier): boolean {
    if (this.#barrier?.checkpointId === barrier.checkpointId) return true;
    if (barrier.checkpointId <= this.#lastId) return false;
    const current = this.#barrier ?? this.#overtaking;
    if (current !== undefined) {
      if (barrier.checkpointId < current.checkpointId) return false;
      this.#abandon(`checkpoint ${barrier.checkpointId} overtook it`);
    }
    // One whose snapshot was taken waits for barriers that cannot come any more.
    let waited = false;
    for (const channel of this.#channels) waited = channel.stopRecording() || waited;
    if (waited) this.#listener.abandoned(this.#lastId, `checkpoint ${barrier.checkpointId} overtook it`);
    this.#barrier = barrier;
    this.#startedMs = this.#clock.monotonicMs();
    this.#bytesBefore = this.#bytesRead;
    return true;
  }

  #alignment(durationMs: number | undefined): Alignment {
    return { startedMs: this.#startedMs, durationMs, processedBytes: this.#bytesRead - this.#bytesBefore };
  }

  get #bytesRead(): number {
    return this.#channels.reduce((sum, channel) => sum + channel.bytesRead, 0);
  }

  #completeIfAligned(): void {
    const barrier = this.#barrier;
    if (barrier === undefined || !this.#channels.every((channel) => channel.closed || this.#arrived.has(channel))) return;
    this.#endAlignment(barrier.checkpointId);
    const alignment = this.#alignment(this.#clock.monotonicMs() - this.#startedMs);
    this.#release();
    this.#listener.aligned(barrier, alignment);
  }

  #abandon(reason: string): void {
    const { checkpointId } = (this.#barrier ?? this.#overtaking)!;
    this.#endAlignment(Math.max(this.#lastId, checkpointId));
    this.#overtaking = undefined;
    this.#release();
    this.#listener.abandoned(checkpointId, reason);
  }

  #endAlignment(lastId: number): void {
    this.#lastId = lastId;
    this.#barrier = undefined;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #release(): void {
    const arrived = this.#arrived;
    this.#arrived = new Set();
    for (const channel of arrived) {
      channel.blockedByBarrier = false;
      this.#listener.unblocked(channel);
    }
  }
}
