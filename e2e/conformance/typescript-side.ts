import type { Case } from "./typescript/case.js";
import { runStepwise, type CaseResult } from "./typescript/run-job.js";

/** Runs one case of `cases/` on Millrace, one element at a time. */
export function runCase(test: Case): Promise<CaseResult> {
  return runStepwise(test);
}
