import type { StreamInput } from "../environment/operator-init.js";
import type { RecordHint } from "../functions/fields.js";
import { CollectionSource } from "../sources/collection-source.js";

/** What is known of the records of a stream at build time: a declared type, or the first record of a collection that comes here unchanged. */
export function recordHint(inputs: readonly StreamInput[]): RecordHint {
  let [input] = inputs;
  while (input !== undefined && input.sideOutput === undefined) {
    const { source } = input;
    if (source.outputType !== undefined) return { type: source.outputType };
    if (source.spec.type === "source" && source.spec.source instanceof CollectionSource) return { sample: source.spec.source.sample };
    if (source.spec.type !== "filter" && source.spec.type !== "timestamps") return {};
    const edge = source.inputs[0];
    input = edge === undefined ? undefined : { source: edge.source, partitioner: edge.partitioner, sideOutput: edge.sideOutput };
  }
  return {};
}
