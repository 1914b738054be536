import { BatchEncoder, RecordBatch } from "@millrace/core";
import type { InFlightHandle } from "../protocol/deployment.js";

/** One end of a channel, and the operator of this task that it belongs to. */
export interface InFlightPlace extends Pick<InFlightHandle, "edgeId" | "from" | "to" | "side"> {
  readonly operatorId: string;
}

/** What was found in one place, in order. */
export interface InFlightPart {
  readonly place: InFlightPlace;
  readonly batches: ArrayBuffer[];
}

/**
 * What one task contributes of the records between tasks to an unaligned checkpoint: those that wait in it when it takes its snapshot, and those that come
 * afterwards but before their channel's barrier.
 *
 * Whoever still expects some has it {@link open}; it is complete when it is {@link seal}ed and nobody has. What goes wrong is kept for the end, since it
 * happens in somebody else's turn.
 */
export class InFlightData {
  /** Some barrier overtook, or tried to. */
  unaligned = false;
  /** What could not be taken, and makes the checkpoint fail. */
  failure: unknown;
  bytes = 0;
  /** Called once, when everything is there. */
  onComplete: (() => void) | undefined;
  readonly #parts = new Map<InFlightPlace, InFlightPart>();
  /** By edge: records of one edge have shapes in common. */
  readonly #encoders = new Map<string, BatchEncoder>();
  #open = 0;
  #sealed = false;
  #discarded = false;

  /** Somebody expects more. */
  open(): void {
    this.#open++;
  }

  /** One of those who had it open has everything. */
  close(): void {
    this.#open--;
    this.#completeIfDone();
  }

  /** Nobody opens it any more. */
  seal(): void {
    this.#sealed = true;
    this.#completeIfDone();
  }

  /** How many expect more. */
  get opened(): number {
    return this.#open;
  }

  get complete(): boolean {
    return this.#sealed && this.#open === 0;
  }

  /** Takes a copy of a batch; of one that is not encoded, the records and marks from `fromRecord` and `fromMark` on. */
  add(place: InFlightPlace, batch: RecordBatch | ArrayBuffer, fromRecord: number = 0, fromMark: number = 0): void {
    if (this.#discarded || this.failure !== undefined) return;
    try {
      const bytes = batch instanceof ArrayBuffer ? batch.slice(0) : this.#encode(place, batch, fromRecord, fromMark);
      let part = this.#parts.get(place);
      if (part === undefined) this.#parts.set(place, (part = { place, batches: [] }));
      part.batches.push(bytes);
      this.bytes += bytes.byteLength;
    } catch (error) {
      this.failure = error;
    }
  }

  get parts(): Iterable<InFlightPart> {
    return this.#parts.values();
  }

  /** The checkpoint is over: nothing of this is needed, and `onComplete` is not called. */
  discard(): void {
    this.#discarded = true;
    this.onComplete = undefined;
    this.#parts.clear();
  }

  #encode({ edgeId }: InFlightPlace, batch: RecordBatch, fromRecord: number, fromMark: number): ArrayBuffer {
    let encoder = this.#encoders.get(edgeId);
    if (encoder === undefined) this.#encoders.set(edgeId, (encoder = new BatchEncoder()));
    return encoder.encode(fromRecord === 0 && fromMark === 0 ? batch : restOf(batch, fromRecord, fromMark));
  }

  #completeIfDone(): void {
    if (!this.complete) return;
    const { onComplete } = this;
    this.onComplete = undefined;
    onComplete?.();
  }
}

function restOf(batch: RecordBatch, fromRecord: number, fromMark: number): RecordBatch {
  const { count } = batch;
  const rest = new RecordBatch(batch.values.slice(fromRecord, count), batch.timestampsMs.slice(fromRecord, count), count - fromRecord);
  rest.combined = batch.combined;
  rest.keyHashes = batch.keyHashes?.slice(fromRecord, count) ?? null;
  rest.marks = batch.marks?.slice(fromMark).map((mark) => ({ ...mark, at: mark.at - fromRecord })) ?? null;
  return rest;
}
