/** The module's text with the mutant's change. @throws when the place to change is not there, or not the only one: the mutant is out of date */
export function applyMutant(mutant, text) {
  const parts = text.split(mutant.find);
  if (parts.length !== 2) throw new Error(`mutant "${mutant.id}": its place is ${parts.length === 1 ? "not" : `${parts.length - 1} times`} in ${mutant.file}`);
  return parts.join(mutant.replace);
}
