import type { StreamNode } from "@millrace/graph";
import type { StreamInput } from "../environment/operator-init.js";
import type { RecordHint } from "../functions/fields.js";
import { CollectionSource } from "../sources/collection-source.js";

/** What is known of the records of a stream at build time: a declared type, or the first record of a collection that comes here unchanged. */
export function recordHint(inputs: readonly StreamInput[]): RecordHint {
  let input: StreamInput | undefined = inputs[0];
  while (input !== undefined && input.sideOutput === undefined) {
    const source: StreamNode = input.source;
    if (source.outputType !== undefined) return { type: source.outputType };
    if (source.spec.type === "source" && source.spec.source instanceof CollectionSource) return { sample: source.spec.source.sample };
    if (source.spec.type !== "filter" && source.spec.type !== "timestamps") return {};
    input = source.inputs[0];
  }
  return {};
}
