import type { Emission } from "./typescript/case.js";

/** The differences, in words; none when equal. */
export function differences(
  expected: { readonly outputs: readonly Emission[]; readonly lateDropped: number },
  actual: { readonly outputs: readonly Emission[]; readonly lateDropped?: number },
): string[];
