/** What was seen at one place of JSON values: the kinds of scalars, and of what objects and arrays are made. */
export interface JsonShape {
  isNull: boolean;
  isNumber: boolean;
  isString: boolean;
  isBoolean: boolean;
  /** Fields in their order. */
  fields: Map<string, JsonShape> | undefined;
  element: JsonShape | undefined;
}

/** Beyond these the code of a reader would be too long to be compiled well. */
const MOST_PLACES = 64;
const MOST_LEVELS = 5;

/**
 * The shape of most of the values: the same keys in the same order, at every level. `undefined` when most are no objects, or are too large for a reader of their own.
 * Objects with other keys are left out.
 */
export function commonShape(values: readonly unknown[]): JsonShape | undefined {
  const groups = new Map<string, object[]>();
  for (const value of values) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) continue;
    const keys = JSON.stringify(Object.keys(value));
    const group = groups.get(keys);
    if (group === undefined) groups.set(keys, [value]);
    else group.push(value);
  }
  const largest = [...groups.values()].reduce<object[]>((a, b) => (b.length > a.length ? b : a), []);
  if (largest.length === 0 || largest.length * 2 < values.length) return undefined;
  const shape = emptyShape();
  for (const value of largest) if (fits(shape, value)) add(shape, value);
  return shape.fields!.size > 0 && placesOf(shape, 0) <= MOST_PLACES ? shape : undefined;
}

function emptyShape(): JsonShape {
  return { isNull: false, isNumber: false, isString: false, isBoolean: false, fields: undefined, element: undefined };
}

/** Whether all objects in the value have the keys that were seen at their place. */
function fits(shape: JsonShape | undefined, value: unknown): boolean {
  if (shape === undefined || typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) {
    // Elements are compared with each other, too.
    const element = structuredClone(shape.element ?? emptyShape());
    return value.every((one) => {
      if (!fits(element, one)) return false;
      add(element, one);
      return true;
    });
  }
  if (shape.fields === undefined) return Object.values(value).every((one) => fits(emptyShape(), one));
  const keys = Object.keys(value);
  const known = [...shape.fields.keys()];
  return keys.length === known.length && keys.every((key, i) => key === known[i] && fits(shape.fields!.get(key), (value as Record<string, unknown>)[key]));
}

/** Adds a value that {@link fits}. */
function add(shape: JsonShape, value: unknown): void {
  if (value === null) shape.isNull = true;
  else if (typeof value === "number") shape.isNumber = true;
  else if (typeof value === "string") shape.isString = true;
  else if (typeof value === "boolean") shape.isBoolean = true;
  else if (Array.isArray(value)) {
    const element = (shape.element ??= emptyShape());
    for (const one of value) add(element, one);
  } else {
    shape.fields ??= new Map(Object.keys(value as object).map((key) => [key, emptyShape()]));
    for (const [key, field] of shape.fields) add(field, (value as Record<string, unknown>)[key]);
  }
}

function placesOf({ fields, element }: JsonShape, level: number): number {
  if (level > MOST_LEVELS) return Number.POSITIVE_INFINITY;
  let places = 1;
  for (const field of fields?.values() ?? []) places += placesOf(field, level + 1);
  return element === undefined ? places : places + placesOf(element, level + 1);
}

/** The same for equal shapes alone. */
export function shapeText(shape: JsonShape): string {
  return JSON.stringify(shape, (_key, value: unknown) => (value instanceof Map ? [...value] : value));
}
