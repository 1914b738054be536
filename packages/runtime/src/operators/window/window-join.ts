import {
  type CoGroupFn, type FlatJoinFn, type JoinFn, type OperatorContext, type Output, type StateInitializationContext, type StateSnapshotContext, type TwoInputOperator, type Window,
  type WindowFn,
} from "@millrace/core";
import type { WindowJoinSpec, WindowSpec } from "@millrace/graph";
import type { OperatorInfo } from "../operator-info.js";
import { refusePromise } from "../user-function.js";
import { twoSidedAssigner, twoSidedEvictor, twoSidedTrigger, type TwoSided } from "./two-sided.js";
import { createWindowContents } from "./window-contents.js";
import { WindowOperator } from "./window-operator.js";
import { windowParts } from "./window-parts.js";

/** Joins or co-groups two keyed inputs by window: one window operator over the union of both. */
export class WindowJoin implements TwoInputOperator {
  readonly #windows: WindowOperator;

  constructor(spec: WindowJoinSpec, context: OperatorContext, info: OperatorInfo) {
    const coGroup = spec.coGroup ?? pairwise(spec.flatJoin ?? collecting(spec.join!, context.operatorName));
    const evictor = spec.evictor === undefined ? undefined : twoSidedEvictor(spec.evictor);
    const windowSpec: WindowSpec = {
      type: "window", keyed: true, allowedLatenessMs: spec.allowedLatenessMs, fn: { kind: "plain", fn: splitting(coGroup) },
      assigner: twoSidedAssigner(spec.assigner.forOperator?.(() => context.random()) ?? spec.assigner),
      ...(spec.trigger === undefined ? {} : { trigger: twoSidedTrigger(spec.trigger) }),
    };
    this.#windows = new WindowOperator(windowParts(windowSpec, context, info), createWindowContents(evictor, undefined, undefined), context);
  }

  open(context: StateInitializationContext): void | Promise<void> {
    return this.#windows.open(context);
  }
  processRecord1(value: unknown, timestampMs: number, out: Output<unknown>): void {
    this.#windows.processRecord({ isLeft: true, value } satisfies TwoSided, timestampMs, out);
  }
  processRecord2(value: unknown, timestampMs: number, out: Output<unknown>): void {
    this.#windows.processRecord({ isLeft: false, value } satisfies TwoSided, timestampMs, out);
  }
  snapshotState(context: StateSnapshotContext): void | Promise<void> {
    return this.#windows.snapshotState(context);
  }
  close(): void | Promise<void> {
    return this.#windows.close();
  }
}

function splitting(coGroup: CoGroupFn<unknown, unknown, unknown>): WindowFn<TwoSided, unknown, unknown, Window> {
  return (_key, _window, elements, out) => {
    const left: unknown[] = [];
    const right: unknown[] = [];
    for (const element of elements) (element.isLeft ? left : right).push(element.value);
    return coGroup(left, right, out);
  };
}

/** Every pair of a window, left records outermost. */
function pairwise(join: FlatJoinFn<unknown, unknown, unknown>): CoGroupFn<unknown, unknown, unknown> {
  return (lefts, rights, out) => {
    for (const left of lefts) for (const right of rights) join(left, right, out);
  };
}

function collecting(join: JoinFn<unknown, unknown, unknown>, operatorName: string): FlatJoinFn<unknown, unknown, unknown> {
  let checked = false;
  return (left, right, out) => {
    const result = join(left, right);
    if (!checked) refusePromise(result, operatorName);
    checked = true;
    out.collect(result);
  };
}
