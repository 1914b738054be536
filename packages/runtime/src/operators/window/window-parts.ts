import { MillraceError, type OperatorContext, type OutputTag, type Trigger, type Window, type WindowAssigner } from "@millrace/core";
import type { WindowSpec } from "@millrace/graph";
import type { OperatorInfo } from "../operator-info.js";
import { createWindowEmitter, type WindowEmitter } from "./window-emitter.js";

/** A window operator's spec, resolved for one subtask: what all its engines share. */
export interface WindowParts {
  readonly assigner: WindowAssigner<unknown, Window>;
  readonly trigger: Trigger<unknown, Window>;
  readonly emitter: WindowEmitter;
  readonly allowedLatenessMs: number;
  readonly lateTag: OutputTag<unknown> | undefined;
  /** The input has no keys: all records belong to one made-up key. */
  readonly constantKey: boolean;
}

/**
 * Resolves a spec: instantiates its function, picks the trigger.
 * @throws `TRIGGER_CANNOT_MERGE`, `AGGREGATE_CANNOT_MERGE`, and the errors of the functions.
 */
export function windowParts(spec: WindowSpec, context: OperatorContext, info: OperatorInfo): WindowParts {
  const assigner: WindowAssigner<unknown, Window> = spec.assigner.forOperator?.(() => context.random()) ?? spec.assigner;
  const trigger: Trigger<unknown, Window> = spec.trigger ?? assigner.getDefaultTrigger();
  if (assigner.mergeWindows !== undefined) checkMerging(spec, trigger, context);
  return {
    assigner,
    trigger,
    emitter: createWindowEmitter(spec.fn, spec.reduce !== undefined || spec.aggregate !== undefined, context.operatorName),
    allowedLatenessMs: spec.allowedLatenessMs,
    lateTag: spec.lateTag,
    constantKey: info.keySelectors[0] === undefined,
  };
}

function checkMerging(spec: WindowSpec, trigger: Trigger<unknown, Window>, context: OperatorContext): void {
  const location = { operator: context.operatorName, operatorId: context.operatorId };
  if (trigger.onMerge === undefined) {
    throw new MillraceError({
      code: "TRIGGER_CANNOT_MERGE",
      message: `window operator "${context.operatorName}" has merging windows and a trigger (${trigger.constructor.name}) that cannot merge`,
      hint: "implement onMerge, or use windows that do not merge",
      location,
    });
  }
  if (spec.aggregate !== undefined && spec.aggregate.merge === undefined && spec.evictor === undefined) {
    throw new MillraceError({
      code: "AGGREGATE_CANNOT_MERGE",
      message: `window operator "${context.operatorName}" has merging windows and an aggregate function without merge()`,
      hint: "implement merge(a, b) on the aggregate function",
      location,
    });
  }
}
