/** The shape of a JSON value: keys and types. */
export function shapeOf(value: unknown): unknown;
export function mergeShapes(a: unknown, b: unknown): unknown;
/** Where `actual` has other keys or types than `expected`. */
export function differences(expected: unknown, actual: unknown, path?: string): string[];
