/** All changes of a mutant. */
export function editsOf(mutant) {
  return [mutant, ...(mutant.also ?? [])];
}

/** The text of a module with a mutant's changes. @throws when a place to change is not there, or not the only one: the mutant is out of date */
export function applyMutant(mutant, file, text) {
  let changed = text;
  for (const edit of editsOf(mutant).filter((other) => other.file === file)) {
    const parts = changed.split(edit.find);
    if (parts.length !== 2) throw new Error(`mutant "${mutant.id}": its place is ${parts.length === 1 ? "not" : `${parts.length - 1} times`} in ${file}`);
    changed = parts.join(edit.replace);
  }
  return changed;
}
