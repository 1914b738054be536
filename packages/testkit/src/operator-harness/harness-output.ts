import type { Output, OutputTag } from "@millrace/core";

/** A record an operator emitted; `timestampMs` is `NO_TIMESTAMP` for one without event time. */
export interface HarnessRecord<T = unknown> {
  readonly value: T;
  readonly timestampMs: number;
}

/** Everything an operator can emit, in order of emission. */
export type HarnessElement<T = unknown> =
  | ({ readonly kind: "record" } & HarnessRecord<T>)
  | { readonly kind: "watermark"; readonly timestampMs: number }
  | { readonly kind: "status"; readonly idle: boolean };

/** An output that remembers what it got, and that can be told to be full. */
export class HarnessOutput<T = unknown> implements Output<T> {
  /** Records, watermarks and statuses of the main output. */
  elements: HarnessElement<T>[] = [];
  readonly #sideOutputs = new Map<string, HarnessRecord[]>();
  #room = Number.POSITIVE_INFINITY;

  collect(value: T, timestampMs: number): void {
    this.#room--;
    this.elements.push({ kind: "record", value, timestampMs });
  }
  sideOutput<X>(tag: OutputTag<X>, value: X, timestampMs: number): void {
    const record = { value, timestampMs };
    const records = this.#sideOutputs.get(tag.id);
    if (records === undefined) this.#sideOutputs.set(tag.id, [record]);
    else records.push(record);
  }
  emitWatermark(timestampMs: number): void {
    this.elements.push({ kind: "watermark", timestampMs });
  }
  emitStatus(idle: boolean): void {
    this.elements.push({ kind: "status", idle });
  }
  get blocked(): boolean {
    return this.#room <= 0;
  }

  /** Is blocked once `records` more have come (they are taken all the same), until this is called again. */
  setRoom(records: number): void {
    this.#room = records;
  }

  sideOutputOf<X>(tag: OutputTag<X>): readonly HarnessRecord<X>[] {
    return (this.#sideOutputs.get(tag.id) ?? []) as HarnessRecord<X>[];
  }
}
