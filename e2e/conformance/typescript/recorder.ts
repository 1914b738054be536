import { NO_TIMESTAMP, type OneInputOperator, type Output } from "millrace";
import { long, type Emission } from "./case.js";

/** Where the outputs of a job are written down, each with the step it came in. */
export class Recording {
  readonly outputs: Emission[] = [];
  /** `undefined` while nobody controls the order of the inputs: then only records are kept. */
  step: number | undefined;
  /** While a restored job is told the time again: nothing but a record would be new. */
  retelling = false;

  record(value: unknown, timestampMs: number, tag: string | undefined): void {
    this.#add({ ...(tag === undefined ? {} : { tag }), ...(timestampMs === NO_TIMESTAMP ? {} : { t: long(timestampMs) }), v: value });
  }

  watermark(timestampMs: number): void {
    if (this.step !== undefined && !this.retelling) this.#add({ w: long(timestampMs) });
  }

  status(idle: boolean): void {
    if (this.step !== undefined && !this.retelling) this.#add({ idle });
  }

  /** Whether a watermark was the last that came, in this step. */
  get endsWithWatermark(): boolean {
    const last = this.outputs.at(-1);
    return last !== undefined && "w" in last && last.step === this.step;
  }

  #add(output: Emission): void {
    this.outputs.push(this.step === undefined ? output : { step: this.step, ...output });
  }
}

/** Writes down everything that comes out of a stream. Of a side output (`tag`) only the records: its watermarks are those of the main output. */
export class Recorder implements OneInputOperator<unknown, never> {
  readonly #recording: Recording;
  readonly #tag: string | undefined;

  constructor(recording: Recording, tag: string | undefined) {
    this.#recording = recording;
    this.#tag = tag;
  }

  processRecord(value: unknown, timestampMs: number): void {
    this.#recording.record(value, timestampMs, this.#tag);
  }

  processWatermark(timestampMs: number, out: Output<never>): void {
    if (this.#tag === undefined) this.#recording.watermark(timestampMs);
    out.emitWatermark(timestampMs);
  }

  processStatus(idle: boolean, out: Output<never>): void {
    if (this.#tag === undefined) this.#recording.status(idle);
    out.emitStatus(idle);
  }
}
