import type { Case } from "./case.js";

/** A case whose committed output Millrace does not give, and the case whose output that is instead. DEVIATIONS.md says why. */
export type Deviation = (test: Case) => Case;

const withDefaultInterval: Deviation = (test) => ({ ...test, params: { ...test.params, interval: 200 } });

/** By name of the case. Each is checked both ways: the case as it is must deviate, the other one must not. */
export const deviations: ReadonlyMap<string, Deviation> = new Map([
  ["watermark-strategy-bounded-zero", withDefaultInterval],
  ["watermark-strategy-idleness-monotonous", withDefaultInterval],
]);
