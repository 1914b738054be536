// Module loader hooks: change the text of the built modules that a mutant names.
import { applyMutant, editsOf } from "./apply.mjs";
import { mutants } from "./mutants.mjs";

let mutant;

export function initialize(id) {
  mutant = mutants.find((other) => other.id === id);
  if (mutant === undefined) throw new Error(`there is no mutant "${id}"`);
}

export async function load(url, context, nextLoad) {
  const loaded = await nextLoad(url, context);
  const edit = editsOf(mutant).find(({ file }) => url.endsWith(`/packages/${file}`));
  return edit === undefined ? loaded : { ...loaded, source: applyMutant(mutant, edit.file, String(loaded.source)), shortCircuit: true };
}
