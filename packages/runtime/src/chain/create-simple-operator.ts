import type { Operator, OperatorContext } from "@millrace/core";
import type { FilterSpec, FlatMapSpec, MapSpec, TimestampsSpec } from "@millrace/graph";
import type { ActiveClock } from "../source/idleness-generator.js";
import { TimestampsOperator } from "../source/timestamps-operator.js";
import { FilterOperator, FlatMapOperator, MapOperator } from "./simple-operators.js";

/** Specs of operators that a compiled chain takes into its own code. */
export type SimpleSpec = MapSpec | FilterSpec | FlatMapSpec | TimestampsSpec;

/** Makes such an operator; its `processRecord` is the reference path. */
export function createSimpleOperator(spec: SimpleSpec, context: OperatorContext, clock: ActiveClock): Operator {
  switch (spec.type) {
    case "map":
      return new MapOperator(context, spec);
    case "filter":
      return new FilterOperator(context, spec);
    case "flatMap":
      return new FlatMapOperator(context, spec);
    case "timestamps":
      return new TimestampsOperator(context, spec, clock);
  }
}
