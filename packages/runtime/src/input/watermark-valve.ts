import { MIN_WATERMARK } from "@millrace/core";

/** Where a valve's combined watermark and status go. */
export interface ValveOutput {
  watermark(timestampMs: number): void;
  status(idle: boolean): void;
}

interface ChannelStatus {
  watermarkMs: number;
  active: boolean;
  /** Whether the channel counts for the minimum: one that came back from idleness does not until it has caught up. */
  aligned: boolean;
}

/**
 * Combines the watermarks of an input's channels: the minimum over the channels that are active and aligned.
 *
 * Output never decreases. When the last active channel becomes idle, the maximum of all channels is emitted before the idle status. Flink: StatusWatermarkValve.
 */
export class WatermarkValve {
  readonly #channels: ChannelStatus[];
  readonly #output: ValveOutput;
  #lastWatermarkMs = MIN_WATERMARK;
  #active = true;

  constructor(channels: number, output: ValveOutput) {
    this.#channels = Array.from({ length: channels }, () => ({ watermarkMs: MIN_WATERMARK, active: true, aligned: true }));
    this.#output = output;
  }

  inputWatermark(timestampMs: number, index: number): void {
    const channel = this.#channels[index]!;
    if (!this.#active || !channel.active || timestampMs <= channel.watermarkMs) return;
    channel.watermarkMs = timestampMs;
    if (!channel.aligned && timestampMs >= this.#lastWatermarkMs) channel.aligned = true;
    if (channel.aligned) this.#emitMinimum();
  }

  inputStatus(idle: boolean, index: number): void {
    const channel = this.#channels[index]!;
    if (idle && channel.active) this.#becomeIdle(channel);
    else if (!idle && !channel.active) {
      channel.active = true;
      if (channel.watermarkMs >= this.#lastWatermarkMs) channel.aligned = true;
      if (!this.#active) {
        this.#active = true;
        this.#output.status(false);
      }
    }
  }

  #becomeIdle(channel: ChannelStatus): void {
    channel.active = false;
    channel.aligned = false;
    if (!this.#channels.some((c) => c.active)) {
      // The last active channel held the others back: what they have already passed is true now.
      if (channel.watermarkMs === this.#lastWatermarkMs) this.#emit(Math.max(...this.#channels.map((c) => c.watermarkMs)));
      this.#active = false;
      this.#output.status(true);
    } else if (channel.watermarkMs === this.#lastWatermarkMs) this.#emitMinimum();
  }

  #emitMinimum(): void {
    let minimum = Number.POSITIVE_INFINITY;
    for (const channel of this.#channels) if (channel.aligned && channel.watermarkMs < minimum) minimum = channel.watermarkMs;
    if (minimum !== Number.POSITIVE_INFINITY) this.#emit(minimum);
  }

  #emit(timestampMs: number): void {
    if (timestampMs <= this.#lastWatermarkMs) return;
    this.#lastWatermarkMs = timestampMs;
    this.#output.watermark(timestampMs);
  }
}
