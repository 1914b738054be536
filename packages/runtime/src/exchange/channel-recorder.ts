import type { RecordBatch } from "@millrace/core";
import type { InFlightData, InFlightPlace } from "../checkpoint/in-flight-data.js";
import { Barrier, EndOfChannel, type ChannelEvent } from "./channel-element.js";

/** Takes what one channel brings before the barrier of an unaligned checkpoint. */
export class ChannelRecorder {
  readonly #checkpointId: number;
  readonly #data: InFlightData;
  readonly #place: InFlightPlace;

  constructor(checkpointId: number, data: InFlightData, place: InFlightPlace) {
    this.#checkpointId = checkpointId;
    this.#data = data;
    this.#place = place;
    data.open();
  }

  add(batch: RecordBatch | ArrayBuffer, fromRecord: number = 0, fromMark: number = 0): void {
    this.#data.add(this.#place, batch, fromRecord, fromMark);
  }

  /** Whether this event is where the checkpoint ends: its barrier, or the end of the channel. */
  ends(event: ChannelEvent): boolean {
    const over = event instanceof EndOfChannel || (event instanceof Barrier && event.checkpointId === this.#checkpointId);
    if (over) this.#data.close();
    return over;
  }
}
