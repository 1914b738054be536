import { Barrier } from "../exchange/channel-element.js";
import type { InputChannel } from "../exchange/input-channel.js";

/** What an aligner tells its task. */
export interface AlignmentListener {
  /** Every channel has delivered the barrier or was closed: take the snapshot now. */
  aligned(barrier: Barrier, alignmentMs: number): void;
  /** A newer barrier overtook this checkpoint, or it was cancelled. */
  abandoned(checkpointId: number, reason: string): void;
  /** The channel can be read again. */
  unblocked(channel: InputChannel): void;
}

/** Aligns the barriers of a task's channels: a channel that delivered one is not read until all others have, or were closed. */
export class BarrierAligner {
  readonly #channels: readonly InputChannel[];
  readonly #listener: AlignmentListener;
  readonly #now: () => number;
  /** The checkpoint being aligned. */
  #barrier: Barrier | undefined;
  #arrived = new Set<InputChannel>();
  #startedMs = 0;
  /** Barriers up to here are late: their checkpoint is over for this task. */
  #lastId = -1;

  constructor(channels: readonly InputChannel[], listener: AlignmentListener, now: () => number) {
    this.#channels = channels;
    this.#listener = listener;
    this.#now = now;
  }

  get aligning(): boolean {
    return this.#barrier !== undefined;
  }

  barrier(channel: InputChannel, barrier: Barrier): void {
    if (!this.#begin(barrier)) return;
    this.#arrived.add(channel);
    channel.blockedByBarrier = true;
    this.#completeIfAligned();
  }

  /** Asks for a checkpoint without a barrier: taken once every channel has delivered it or was closed. */
  trigger(barrier: Barrier): void {
    if (this.#begin(barrier)) this.#completeIfAligned();
  }

  channelClosed(): void {
    if (this.#barrier !== undefined) this.#completeIfAligned();
  }

  cancel(checkpointId: number): void {
    if (this.#barrier?.checkpointId === checkpointId) this.#abandon("it was aborted");
    if (checkpointId > this.#lastId) this.#lastId = checkpointId;
  }

  /** @returns false for a barrier of a checkpoint that is already over. */
  #begin(barrier: Barrier): boolean {
    if (this.#barrier?.checkpointId === barrier.checkpointId) return true;
    if (barrier.checkpointId <= this.#lastId) return false;
    if (this.#barrier !== undefined) {
      if (barrier.checkpointId < this.#barrier.checkpointId) return false;
      this.#abandon(`checkpoint ${barrier.checkpointId} overtook it`);
    }
    this.#barrier = barrier;
    this.#startedMs = this.#now();
    return true;
  }

  #completeIfAligned(): void {
    if (!this.#channels.every((channel) => channel.closed || this.#arrived.has(channel))) return;
    const barrier = this.#barrier!;
    this.#lastId = barrier.checkpointId;
    const alignmentMs = this.#now() - this.#startedMs;
    this.#release();
    this.#listener.aligned(barrier, alignmentMs);
  }

  #abandon(reason: string): void {
    const { checkpointId } = this.#barrier!;
    this.#lastId = Math.max(this.#lastId, checkpointId);
    this.#release();
    this.#listener.abandoned(checkpointId, reason);
  }

  #release(): void {
    this.#barrier = undefined;
    const arrived = this.#arrived;
    this.#arrived = new Set();
    for (const channel of arrived) {
      channel.blockedByBarrier = false;
      this.#listener.unblocked(channel);
    }
  }
}
