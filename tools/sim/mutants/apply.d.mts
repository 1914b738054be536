import type { Edit, Mutant } from "./mutants.mjs";

export function editsOf(mutant: Mutant): readonly Edit[];
export function applyMutant(mutant: Mutant, file: string, text: string): string;
