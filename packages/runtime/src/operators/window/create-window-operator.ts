import { isCommutative, type OneInputOperator, type OperatorContext } from "@millrace/core";
import type { WindowSpec } from "@millrace/graph";
import type { OperatorInfo } from "../operator-info.js";
import { directWindows, type SliceWindowInit } from "./direct-windows.js";
import { sessionWindows } from "./session-windows.js";
import { sharedWindows } from "./shared-windows.js";
import { SliceGeometry } from "./slice-geometry.js";
import { createWindowContents } from "./window-contents.js";
import { WindowOperator } from "./window-operator.js";
import { windowParts, type WindowParts } from "./window-parts.js";

/** Which engine runs a window operator. `general` runs all of them; the others are faster where they apply. */
export type WindowEngine = "general" | "direct" | "shared" | "session";

/** The fastest engine for a window operator. All give equal results, the sharing one as long as the order of records does not matter to the function. */
export function chooseWindowEngine(spec: WindowSpec, parts: WindowParts): WindowEngine {
  const { assigner, trigger, emitter } = parts;
  const incremental = spec.reduce !== undefined || spec.aggregate !== undefined;
  // A function that clears per-window state must be told of every key and window that goes.
  if (!incremental || spec.evictor !== undefined || emitter.clears || !assigner.isEventTime || trigger.isDefaultFor !== "event-time") return "general";
  if (assigner.sessionWindows === true) return "session";
  const sliced = assigner.sliced;
  if (sliced === undefined) return "general";
  // Slices are combined by time; a reduce may tell that from the order of arrival (it often keeps fields of its first record).
  const merges = spec.reduce !== undefined ? isCommutative(spec.reduce) : spec.aggregate?.merge !== undefined;
  return merges && sliced.kind !== "tumbling" && sliced.slideMs < sliced.sizeMs ? "shared" : "direct";
}

/** Makes a window operator. `engine` overrides the choice, for tests that compare them. */
export function createWindowOperator(spec: WindowSpec, context: OperatorContext, info: OperatorInfo, engine?: WindowEngine): OneInputOperator {
  const parts = windowParts(spec, context, info);
  const { reduce, aggregate } = spec;
  const sliceInit = (): SliceWindowInit => ({
    parts, context, reduce, aggregate, geometry: new SliceGeometry(parts.assigner.sliced!), keySelector: info.keySelectors[0],
  });
  switch (engine ?? chooseWindowEngine(spec, parts)) {
    case "direct":
      return directWindows(sliceInit());
    case "shared":
      return sharedWindows(sliceInit());
    case "session":
      return sessionWindows({ parts, context, reduce, aggregate, keySelector: info.keySelectors[0], gapOf: parts.assigner.gapOf! });
    case "general":
      return new WindowOperator(parts, createWindowContents(spec.evictor, reduce, aggregate), context);
  }
}
