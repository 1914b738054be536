// The shape of a JSON value: keys and types, not values. Ids as keys become "<id>", so that shapes of two runs, and of two systems, compare.

const isId = (key) => /^[0-9a-f]{32}$/.test(key);

/** Strings for scalars, `[shape of the elements]` for arrays, an object for objects. Shapes of array elements and of entries under ids are merged. */
export function shapeOf(value) {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? [] : [value.map(shapeOf).reduce(mergeShapes)];
  if (typeof value !== "object") return typeof value;
  const shape = {};
  for (const [key, child] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = isId(key) ? "<id>" : key;
    shape[name] = name in shape ? mergeShapes(shape[name], shapeOf(child)) : shapeOf(child);
  }
  return shape;
}

/** One shape that covers both: a scalar of several types becomes "a|b", a key that is not always there gets a "?". */
export function mergeShapes(a, b) {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === 0 ? b : b.length === 0 ? a : [mergeShapes(a[0], b[0])];
  if (isObject(a) && isObject(b)) {
    const merged = {};
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)].map((name) => name.replace(/\?$/, "")))) {
      const inA = a[key] ?? a[`${key}?`];
      const inB = b[key] ?? b[`${key}?`];
      const optional = inA === undefined || inB === undefined || `${key}?` in a || `${key}?` in b;
      merged[optional ? `${key}?` : key] = inA === undefined ? inB : inB === undefined ? inA : mergeShapes(inA, inB);
    }
    return merged;
  }
  if (a === "null") return b;
  if (b === "null") return a;
  if (typeof a === "string" && typeof b === "string") return [...new Set([...a.split("|"), ...b.split("|")])].sort().join("|");
  return a;
}

const isObject = (shape) => typeof shape === "object" && shape !== null && !Array.isArray(shape);

/** Where `actual` has other keys or types than `expected`, as lines `path: what`. null fits any type, and an empty array any array. */
export function differences(expected, actual, path = "$") {
  if (expected === "null" || actual === "null" || expected === "any") return [];
  if (Array.isArray(expected) !== Array.isArray(actual) || isObject(expected) !== isObject(actual)) return [`${path}: ${kind(actual)} instead of ${kind(expected)}`];
  if (Array.isArray(expected)) return expected.length === 0 || actual.length === 0 ? [] : differences(expected[0], actual[0], `${path}[]`);
  if (!isObject(expected)) return actual.split("|").every((type) => expected.split("|").includes(type)) ? [] : [`${path}: ${actual} instead of ${expected}`];
  const found = [];
  const plain = (shape) => new Map(Object.entries(shape).map(([key, child]) => [key.replace(/\?$/, ""), { child, optional: key.endsWith("?") }]));
  const wanted = plain(expected);
  const given = plain(actual);
  if (wanted.has("<any>")) return [];
  for (const [key, { child, optional }] of wanted) {
    const other = given.get(key);
    if (other === undefined) {
      if (!optional && key !== "<id>") found.push(`${path}.${key}: missing`);
    } else found.push(...differences(child, other.child, `${path}.${key}`));
  }
  for (const key of given.keys()) if (!wanted.has(key)) found.push(`${path}.${key}: Flink has no such key`);
  return found;
}

const kind = (shape) => (Array.isArray(shape) ? "array" : isObject(shape) ? "object" : shape);
