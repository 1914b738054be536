import type { Counter, OperatorContext, Output, OutputTag } from "@millrace/core";

/** Where records go that no window takes any more: to the side output when there is one, else only counted. */
export class LateRecords {
  private readonly dropped: Counter;
  private readonly tag: OutputTag<unknown> | undefined;

  constructor(context: OperatorContext, tag: OutputTag<unknown> | undefined) {
    this.dropped = context.metrics.counter("numLateRecordsDropped");
    this.tag = tag;
  }

  add(value: unknown, timestampMs: number, out: Output<unknown>): void {
    if (this.tag === undefined) this.dropped.inc();
    else out.sideOutput(this.tag, value, timestampMs);
  }
}
