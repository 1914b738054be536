/** How buffer debloating is set; under Flink's names in the configuration. */
export interface DebloatingSettings {
  /** What waits before a task should take so long. */
  readonly targetMs: number;
  readonly periodMs: number;
  /** Periods over which the size is smoothed. */
  readonly samples: number;
  /** The least change, in percent, of which senders are told. */
  readonly thresholdPercent: number;
  readonly smallestBytes: number;
}

/**
 * Calculates how large buffers should be for all that waits to take the target time. Flink: BufferDebloater and BufferSizeEMA.
 *
 * A value of its own, without clock or channels. Sizes lie between the smallest and the largest; they are a moving average in which one sample counts as at most
 * twice the current size, so that growing is no faster than shrinking.
 */
export class BufferDebloater {
  /** The size that is wanted now, in bytes. */
  bufferSize: number;
  /** How long all that waited at the last sample takes, if its buffers are of that size. */
  estimatedTimeMs = 0;
  readonly #settings: DebloatingSettings;
  readonly #alpha: number;
  #largest: number;
  /** Not of whole bytes: small sizes would not grow any more. */
  #average: number;
  /** The size that the senders know. */
  #announced: number;

  constructor(settings: DebloatingSettings, largestBytes: number) {
    this.#settings = settings;
    this.#alpha = 2 / (settings.samples + 1);
    this.#largest = Math.max(largestBytes, settings.smallestBytes);
    this.bufferSize = this.#average = this.#announced = this.#largest;
  }

  /** The largest size at which the size makes any difference. Smaller than the last one is ignored; what is not held down rises with it. */
  raiseLargest(bytes: number): void {
    if (bytes <= this.#largest) return;
    if (this.unlimited) this.bufferSize = this.#average = bytes;
    if (this.#announced === this.#largest) this.#announced = bytes;
    this.#largest = bytes;
  }

  /** Buffers are not to be held down. */
  get unlimited(): boolean {
    return this.bufferSize === this.#largest;
  }

  /**
   * Takes a sample.
   * @param buffersInUse that wait, at the receiver and at its senders
   * @returns whether senders should be told {@link bufferSize}, which has changed by enough
   */
  sample(bytesPerSecond: number, buffersInUse: number): boolean {
    const { targetMs, smallestBytes } = this.#settings;
    const buffers = Math.max(1, buffersInUse);
    const wanted = Math.min((bytesPerSecond * targetMs) / 1000 / buffers, 2 * this.#average);
    const average = this.#average + this.#alpha * (wanted - this.#average);
    this.#average = Math.max(smallestBytes, Math.min(average, this.#largest));
    this.bufferSize = Math.floor(this.#average);
    this.estimatedTimeMs = Math.round((this.bufferSize * buffers * 1000) / Math.max(1, bytesPerSecond));
    if (!this.#worthTelling) return false;
    this.#announced = this.bufferSize;
    return true;
  }

  get #worthTelling(): boolean {
    const { bufferSize } = this;
    if (bufferSize === this.#announced) return false;
    if (bufferSize === this.#settings.smallestBytes || bufferSize === this.#largest) return true;
    return Math.abs(bufferSize - this.#announced) >= (this.#announced * this.#settings.thresholdPercent) / 100;
  }
}
