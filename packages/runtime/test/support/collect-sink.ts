import type { Sink } from "@millrace/core";
import type { SinkSpec } from "@millrace/graph";

/** A sink into an array. */
export function arraySink(into: unknown[]): SinkSpec {
  const sink: Sink<unknown> = {
    createWriter: () => ({ write: (value) => void into.push(value), flush: () => undefined, close: () => undefined }),
  };
  return { type: "sink", sink: sink as never };
}
