/** A deep copy in which every object is a plain one, so that `deepEqual` with a structured clone finds what is not plain data. */
export function shapeWithoutPrototypes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeWithoutPrototypes);
  if (typeof value === "function" || typeof value === "symbol") throw new Error("not plain data");
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, shapeWithoutPrototypes(child)]));
}
