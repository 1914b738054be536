import { MillraceError, RUNTIME_MODE, type Configuration } from "@millrace/core";
import type { StreamGraph } from "./stream-graph.js";

/**
 * The mode a job runs in: what is configured, and for AUTOMATIC, batch when every source is bounded.
 *
 * @throws `UNBOUNDED_IN_BATCH`, naming the source
 */
export function resolveRuntimeMode(graph: StreamGraph, config: Configuration): "STREAMING" | "BATCH" {
  const mode = config.get(RUNTIME_MODE);
  if (mode === "STREAMING") return mode;
  const unbounded = graph.nodes.find((node) => node.spec.type === "source" && node.spec.source.boundedness !== "bounded");
  if (unbounded === undefined) return "BATCH";
  if (mode === "AUTOMATIC") return "STREAMING";
  throw new MillraceError({
    code: "UNBOUNDED_IN_BATCH",
    message: `the source "${unbounded.name}" is unbounded, and a batch job only reads bounded ones`,
    hint: "run it with execution.runtime-mode=STREAMING, or bound the source",
    location: { operator: unbounded.name, option: RUNTIME_MODE.key },
  });
}
