import assert from "node:assert/strict";
import { inspect } from "node:util";

/** Stricter than `deepStrictEqual`: key order, order of Map and Set, holes, and -0 count, and binary data must not share memory. */
export function assertSame(actual: unknown, expected: unknown, path = "$"): void {
  if (typeof expected !== "object" || expected === null) {
    if (!Object.is(actual, expected)) assert.fail(`${path}: ${inspect(actual)} instead of ${inspect(expected)}`);
    return;
  }
  if (typeof actual !== "object" || actual === null) assert.fail(`${path}: ${inspect(actual)} instead of an object`);
  assert.equal(Object.getPrototypeOf(actual), Object.getPrototypeOf(expected), `${path}: prototype`);
  if (expected instanceof Date) {
    assertSame((actual as Date).getTime(), expected.getTime(), path);
  } else if (ArrayBuffer.isView(expected) || expected instanceof ArrayBuffer) {
    assert.deepStrictEqual(actual, expected, path);
  } else if (expected instanceof Map) {
    assertSame([...(actual as Map<unknown, unknown>)], [...expected], `${path}<map>`);
  } else if (expected instanceof Set) {
    assertSame([...(actual as Set<unknown>)], [...expected], `${path}<set>`);
  } else {
    assert.deepEqual(Object.keys(actual), Object.keys(expected), `${path}: keys`);
    if (Array.isArray(expected)) assert.equal((actual as unknown[]).length, expected.length, `${path}: length`);
    for (const key of Object.keys(expected)) {
      assertSame((actual as Record<string, unknown>)[key], (expected as Record<string, unknown>)[key], `${path}.${key}`);
    }
  }
}
