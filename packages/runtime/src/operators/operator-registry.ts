import { MillraceError, type Operator, type OperatorContext } from "@millrace/core";
import type { OperatorSpec } from "@millrace/graph";
import { AsyncOperator } from "./async/async-operator.js";
import { BroadcastProcess } from "./broadcast-process.js";
import { CoFlatMap } from "./co-flat-map.js";
import { CoMap } from "./co-map.js";
import { CoProcess } from "./co-process.js";
import { intervalJoin } from "./interval-join.js";
import { KeyedBroadcastProcess } from "./keyed-broadcast-process.js";
import { keyedCoProcess } from "./keyed-co-process.js";
import { keyedProcess } from "./keyed-process.js";
import { keyedReduce } from "./keyed-reduce.js";
import type { OperatorInfo } from "./operator-info.js";
import { partitionWindow } from "./partition-window.js";
import { ProcessOperator } from "./process.js";
import { createWindowOperator } from "./window/create-window-operator.js";
import { WindowJoin } from "./window/window-join.js";

/** Specs whose operators the runtime makes itself: they are lines of compiled chains, or ends of a task. */
export type ChainedSpec = Extract<OperatorSpec, { readonly type: "source" | "sink" | "map" | "filter" | "flatMap" | "timestamps" }>;

/**
 * Makes the operator of a spec for one subtask and attempt, on the task's thread. Its functions are instantiated here; `open` follows when state is restored.
 *
 * @throws `FUNCTION_INSTANCE`, `FUNCTION_INVALID`, `FUNCTION_RETURNED_PROMISE` for functions that cannot be used, and what the operators name.
 */
export function createOperator(spec: Exclude<OperatorSpec, ChainedSpec>, context: OperatorContext, info: OperatorInfo): Operator {
  switch (spec.type) {
    case "process":
      return new ProcessOperator(spec, context);
    case "keyedProcess":
      return keyedProcess(spec, context);
    case "keyedReduce":
      return keyedReduce(spec, context, info);
    case "coMap":
      return new CoMap(spec, context);
    case "coFlatMap":
      return new CoFlatMap(spec, context);
    case "coProcess":
      return new CoProcess(spec, context);
    case "keyedCoProcess":
      return keyedCoProcess(spec, context);
    case "broadcastProcess":
      return new BroadcastProcess(spec, context);
    case "keyedBroadcastProcess":
      return new KeyedBroadcastProcess(spec, context);
    case "intervalJoin":
      return intervalJoin(spec, context);
    case "window":
      return createWindowOperator(spec, context, info);
    case "windowJoin":
      return new WindowJoin(spec, context, info);
    case "partitionWindow":
      return partitionWindow(spec, context);
    case "async":
      return new AsyncOperator(spec, context);
    case "custom":
      return spec.factory(context);
    default:
      throw new MillraceError({ code: "OPERATOR_UNKNOWN", message: `there is no operator of type "${(spec as OperatorSpec).type}"` });
  }
}

/** Whether an operator needs keyed state although its input has no keys: windows over all records keep them under one made-up key. */
export function needsKeyedState(spec: OperatorSpec): boolean {
  return spec.type === "window" && !spec.keyed;
}
