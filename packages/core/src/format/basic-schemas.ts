import { utf8DecodeRange, utf8Encode } from "../codec/host-text.js";
import { Types } from "../types/type-information.js";
import type { DeserializationSchema, SerializationSchema } from "./schema.js";

/** Messages that are text in UTF-8. Flink: SimpleStringSchema. */
export const StringSchema: DeserializationSchema<string> & SerializationSchema<string> = {
  name: "text",
  producedType: Types.string,
  deserialize: utf8DecodeRange,
  serialize: utf8Encode,
};

/** Messages as they are: each record is a copy of a message's bytes. */
export const RawSchema: DeserializationSchema<Uint8Array> & SerializationSchema<Uint8Array> = {
  name: "bytes",
  deserialize: (bytes, start, end) => bytes.slice(start, end),
  serialize: (value) => value,
};

/** Messages that are one JSON value each. */
export class JsonSchema<T> implements DeserializationSchema<T>, SerializationSchema<T> {
  readonly name = "JSON";
  readonly #check: ((value: unknown) => T) | undefined;

  private constructor(check: ((value: unknown) => T) | undefined) {
    this.#check = check;
  }

  /** @param check makes a record of the parsed value, or throws; without it `T` is what you promise: `JsonSchema.of<Order>()` */
  static of<T>(check?: (value: unknown) => T): JsonSchema<T> {
    return new JsonSchema(check);
  }

  deserialize(bytes: Uint8Array, start: number, end: number): T {
    const value: unknown = JSON.parse(utf8DecodeRange(bytes, start, end));
    return this.#check === undefined ? (value as T) : this.#check(value);
  }

  /** @throws `TypeError` for what JSON has no form for: `undefined`, functions, `bigint`, circles */
  serialize(value: T): Uint8Array {
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined) throw new TypeError(`${typeof value} has no form in JSON`);
    return utf8Encode(text);
  }
}
