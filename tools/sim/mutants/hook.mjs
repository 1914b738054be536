// Module loader hooks: change the text of the one built module that a mutant names.
import { applyMutant } from "./apply.mjs";
import { mutants } from "./mutants.mjs";

let mutant;

export function initialize(id) {
  mutant = mutants.find((other) => other.id === id);
  if (mutant === undefined) throw new Error(`there is no mutant "${id}"`);
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  if (!url.endsWith(`/packages/${mutant.file}`)) return loaded;
  return { ...loaded, source: applyMutant(mutant, String(loaded.source)), shortCircuit: true };
}
