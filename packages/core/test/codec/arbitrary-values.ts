import fc from "fast-check";

/** Any UTF-16 units: ASCII, Latin-1, wide, surrogates alone and in pairs. */
export const anyString: fc.Arbitrary<string> = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.array(fc.integer({ min: 0x80, max: 0xff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("", "\ud800", "\udc00", "\ufeff", "x\ufeff", "\ud83d\ude00", "a".repeat(100), "\u20ac".repeat(80), "é".repeat(70)),
);

export const anyNumber: fc.Arbitrary<number> = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, NaN, Infinity, -Infinity, 127, 128, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 32, 2 ** 53, Number.MIN_VALUE, 1e300),
);

export const anyBigint: fc.Arbitrary<bigint> = fc.oneof(
  fc.bigInt(),
  fc.constantFrom(0n, -1n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), -(2n ** 63n) - 1n, 2n ** 200n, -(2n ** 64n)),
);

const anyDate: fc.Arbitrary<Date> = fc.oneof(fc.date({ noInvalidDate: false }), fc.constantFrom(0, 8.64e15, -8.64e15, NaN).map((ms) => new Date(ms)));

const anyBinary: fc.Arbitrary<unknown> = fc.oneof(
  fc.uint8Array(), fc.int8Array(), fc.uint8ClampedArray(), fc.int16Array(), fc.uint16Array(), fc.int32Array(), fc.uint32Array(),
  fc.float32Array(), fc.float64Array(), fc.bigInt64Array(), fc.bigUint64Array(),
  fc.uint8Array().map((bytes) => bytes.slice().buffer),
);

export const anyScalar: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: anyNumber }, { weight: 3, arbitrary: anyString }, fc.boolean(), fc.constantFrom(null, undefined), anyBigint, anyDate,
);

const fieldName = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom("a", "b", "c", "id", "value") },
  fc.constantFrom("", "0", "17", "__proto__", "constructor", "toString", "x y", "\ud800", "\u2028", "\"", "length", "hasOwnProperty"), anyString,
);

const fromFields = (fields: readonly (readonly [string, unknown])[]): unknown => Object.fromEntries(fields);

function withHoles(values: readonly unknown[], holes: readonly number[]): unknown[] {
  const array = values.slice();
  for (const hole of holes) if (hole < array.length) delete array[hole];
  return array;
}

/** Every kind of value the codecs promise to carry, nested. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small", withCrossShrink: true },
    { weight: 5, arbitrary: anyScalar },
    anyBinary,
    fc.array(tie("value"), { maxLength: 5 }),
    fc.tuple(fc.array(tie("value"), { maxLength: 5 }), fc.array(fc.nat(4), { maxLength: 2 })).map(([values, holes]) => withHoles(values, holes)),
    { weight: 3, arbitrary: fc.array(fc.tuple(fieldName, tie("value")), { maxLength: 5 }).map(fromFields) },
    fc.array(fc.tuple(fieldName, tie("value")), { maxLength: 3 }).map((fields) => Object.assign(Object.create(null) as object, Object.fromEntries(fields.filter(([k]) => k !== "__proto__")))),
    fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie("value"), { maxLength: 3 }).map((elements) => new Set(elements)),
  ),
})).value;

/** Rows that mostly look alike, as real streams do, with strangers among them. */
export const anyRows: fc.Arbitrary<unknown[]> = fc.oneof(
  fc.array(anyValue, { maxLength: 30 }),
  fc.array(anyScalar, { maxLength: 40 }),
  similarRows(),
);

function similarRows(): fc.Arbitrary<unknown[]> {
  const column = fc.constantFrom<fc.Arbitrary<unknown>>(
    fc.integer(), fc.integer({ min: -100, max: 100 }), fc.integer({ min: -30_000, max: 30_000 }), anyNumber, anyString, fc.boolean(), anyBigint, anyDate,
    fc.option(anyString), fc.option(fc.integer(), { nil: undefined }), fc.tuple(fc.string(), fc.integer()), fc.record({ x: fc.double(), y: anyString }),
    fc.record({ x: fc.double(), y: fc.option(fc.record({ z: anyString })) }), fc.array(fc.integer(), { maxLength: 3 }), anyValue,
  );
  const shape = fc.uniqueArray(fc.tuple(fieldName, column), { maxLength: 5, selector: ([name]) => name });
  return fc.array(shape, { minLength: 1, maxLength: 3 }).chain((shapes) => {
    const row = fc.oneof(...shapes.map((fields) => fc.tuple(...fields.map(([, values]) => values)).map((values) => fromFields(fields.map(([name], i) => [name, values[i]])))));
    return fc.array(fc.oneof({ weight: 20, arbitrary: row }, anyValue), { maxLength: 60 });
  });
}
