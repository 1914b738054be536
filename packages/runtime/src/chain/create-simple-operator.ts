import type { Operator, OperatorContext } from "@millrace/core";
import type { OperatorSpec } from "@millrace/graph";
import type { ActiveClock } from "../source/idleness-generator.js";
import { TimestampsOperator } from "../source/timestamps-operator.js";
import { FilterOperator, FlatMapOperator, MapOperator } from "./simple-operators.js";

/** The operators that a compiled chain takes into its own code; `undefined` for any other. */
export function createSimpleOperator(spec: OperatorSpec, context: OperatorContext, clock: ActiveClock): Operator | undefined {
  switch (spec.type) {
    case "map":
      return new MapOperator(context, spec);
    case "filter":
      return new FilterOperator(context, spec);
    case "flatMap":
      return new FlatMapOperator(context, spec);
    case "timestamps":
      return new TimestampsOperator(context, spec, clock);
    default:
      return undefined;
  }
}
