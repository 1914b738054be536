/**
 * Tells whether two valid keys are the same key: by value, -0 as 0, fields of objects in any order; 1, "1" and 1n differ.
 *
 * Agrees with {@link encodeKey}: equal keys have equal bytes and the other way round. Does not check the keys.
 */
export function keysEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Date || b instanceof Date) return a instanceof Date && b instanceof Date && a.getTime() === b.getTime();
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && elementsEqual(a, b);
  return fieldsEqual(a as Record<string, unknown>, b as Record<string, unknown>);
}

function elementsEqual(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!keysEqual(a[i], b[i])) return false;
  return true;
}

function fieldsEqual(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  for (const name of names) if (!Object.hasOwn(b, name) || !keysEqual(a[name], b[name])) return false;
  return true;
}
