/** First bytes of encoded values. Part of the stored format: never change one, only add. */
export const TAG_UNDEFINED = 0;
export const TAG_NULL = 1;
export const TAG_FALSE = 2;
export const TAG_TRUE = 3;
export const TAG_INT = 4;
export const TAG_DOUBLE = 5;
export const TAG_NAN = 6;
export const TAG_STRING = 7;
export const TAG_BIGINT64 = 8;
export const TAG_BIGINT_POSITIVE = 9;
export const TAG_BIGINT_NEGATIVE = 10;
export const TAG_DATE = 11;
export const TAG_INVALID_DATE = 12;
export const TAG_MAP = 13;
export const TAG_SET = 14;
export const TAG_ARRAY_BUFFER = 15;
export const TAG_TYPED_ARRAY = 16;
export const TAG_ARRAY = 17;
export const TAG_SPARSE_ARRAY = 18;
export const TAG_OBJECT = 19;
export const TAG_NULL_OBJECT = 20;
export const TAG_REGISTERED = 21;
/** 0x40–0x7f: a Latin-1 string of 0–63 units. */
export const TAG_SHORT_STRING = 0x40;
/** 0x80–0xff: the integers 0–127. */
export const TAG_SMALL_INT = 0x80;

/** Values nested deeper are refused, which is also how a cycle shows. */
export const MAX_DEPTH = 1000;

type AnyTypedArrayConstructor = {
  readonly BYTES_PER_ELEMENT: number;
  readonly prototype: object;
  new (buffer: ArrayBuffer): ArrayBufferView;
};

/** Kinds of typed arrays, by index. */
export const TYPED_ARRAYS: readonly AnyTypedArrayConstructor[] = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array, BigInt64Array, BigUint64Array,
];

const kindByName = new Map(TYPED_ARRAYS.map((type, kind) => [(type as unknown as { name: string }).name, kind]));
const typedArrayPrototype = Object.getPrototypeOf(Uint8Array.prototype) as object;
const nameOf = Object.getOwnPropertyDescriptor(typedArrayPrototype, Symbol.toStringTag)!.get as (this: unknown) => string | undefined;

/** The kind of a typed array from any realm, subclasses such as Node's `Buffer` included; -1 for anything else. */
export function typedArrayKind(value: object): number {
  const name = nameOf.call(value);
  return name === undefined ? -1 : (kindByName.get(name) ?? -1);
}
