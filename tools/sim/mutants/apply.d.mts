import type { Mutant } from "./mutants.mjs";

export function applyMutant(mutant: Mutant, text: string): string;
