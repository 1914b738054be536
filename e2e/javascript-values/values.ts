/* Values of JavaScript that get lost or changed where data is copied carelessly, in groups that make columns of one kind each. */

const sparse = (): unknown[] => {
  const values: unknown[] = [1, 2, 3];
  delete values[1];
  return values;
};
const withoutPrototype = (): object => Object.assign(Object.create(null) as object, { a: 1 });
const ownProto = (): unknown => JSON.parse('{"__proto__": {"polluted": true}, "a": 1}');

export const groups: Readonly<Record<string, readonly (() => unknown)[]>> = {
  ints: [0, 1, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)].map((n) => () => n),
  numbers: [-0, 0, 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 0.1, 5e-324, 1.7976931348623157e308, Number.NaN, Infinity, -Infinity].map((n) => () => n),
  strings: ["", "a", "ä", "€", "日本", "😀", "\ud800", "\udc00", "a\ud83d", "\ude00b", "\u0000", "\ufeffx", "ä".normalize("NFD"), "x".repeat(70), "ÿ".repeat(70), "Ā".repeat(70), "__proto__"].map((s) => () => s),
  bigints: [0n, 1n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 64n, 10n ** 60n].map((n) => () => n),
  dates: [0, -1, 8.64e15, -8.64e15, Number.NaN, 1_700_000_000_123].map((ms) => () => new Date(ms)),
  missing: [
    () => ({}), () => ({ a: undefined }), () => ({ a: null }), () => ({ a: 0 }), () => undefined, () => null, () => [], () => [undefined], () => [null], sparse,
    () => ({ b: 1, a: 2 }), () => ({ a: 2, b: 1 }), () => ({ 2: "two", 1: "one", x: "x" }), () => ({ "": 1 }), withoutPrototype, ownProto, () => [[], {}], () => ({ a: { b: { c: undefined } } }),
  ],
  collections: [
    () => new Map(), () => new Map<unknown, unknown>([["b", 1], ["a", 2]]), () => new Map<unknown, unknown>([[Number.NaN, 1], [0, 2], ["0", 3], [null, 4], [undefined, 5]]),
    () => new Map([[{ key: 1 }, new Set([new Map([[1n, new Date(5)]])])]]), () => new Set([3, 1, 2]), () => new Set<unknown>([undefined, null, Number.NaN, "x"]), () => ({ inside: new Map([["m", -0]]) }),
  ],
  buffers: [
    () => new Uint8Array([1, 2, 255]), () => new Uint8Array([9, 8, 7, 6]).subarray(1, 3), () => new Int8Array([-128, 127]), () => new Uint8ClampedArray([300, -1]), () => new Int16Array([-32768]),
    () => new Uint16Array([65535]), () => new Int32Array([-(2 ** 31)]), () => new Uint32Array([2 ** 32 - 1]), () => new Float32Array([0.1, -0, Number.NaN]), () => new Float64Array([0.1, -0, Infinity]),
    () => new BigInt64Array([-(2n ** 63n)]), () => new BigUint64Array([2n ** 64n - 1n]), () => new Uint8Array(0), () => new Uint8Array([1, 2, 3]).buffer,
  ],
};

/** A text that is equal for equal values only: it tells -0 from 0, missing from `undefined` from `null`, and keeps order. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${value}n`;
    case "string":
      return JSON.stringify(value);
    case "object":
      return value === null ? "null" : describeObject(value);
    default:
      return String(value);
  }
}

function describeObject(value: object): string {
  const list = (elements: Iterable<unknown>): string => [...elements].map(describe).join(", ");
  if (Array.isArray(value)) return `[${Array.from({ length: value.length }, (_, i) => (i in value ? describe(value[i]) : "hole")).join(", ")}]`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Map) return `Map(${[...value].map(([key, held]) => `${describe(key)} => ${describe(held)}`).join(", ")})`;
  if (value instanceof Set) return `Set(${list(value)})`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${list(new Uint8Array(value))})`;
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${list(value as unknown as Iterable<unknown>)})`;
  const fields = Object.keys(value).map((name) => `${JSON.stringify(name)}: ${describe((value as Record<string, unknown>)[name])}`);
  return `${Object.getPrototypeOf(value) === null ? "null " : ""}{${fields.join(", ")}}`;
}

/** Keys, with the number of times each comes; those that are one key stand together. */
export const keys: readonly (readonly unknown[])[] = [
  [0, -0], [1], ["1"], [1n], [true], ["true"], [null], ["null"], [2 ** 31], [2 ** 53], [-(2 ** 31)], ["\ud800"], ["\udc00"], ["\ufffd"], [""], ["é"], ["e\u0301"],
  [new Date(5), new Date(5)], [5], [["a", "b"], ["a", "b"]], [["ab"]], [{ a: 1, b: 2 }, { a: 1, b: 2 }], [[0], [-0]], [2n ** 64n],
];
