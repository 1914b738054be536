import type { Case } from "./case.js";

/** A case whose committed output Millrace does not give, and the case whose output that is instead. DEVIATIONS.md says why. */
export type Deviation = (test: Case) => Case;

/** By name of the case. Each is checked both ways: the case as it is must deviate, the other one must not. */
export const deviations: ReadonlyMap<string, Deviation> = new Map();
