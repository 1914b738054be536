import type { Type } from "avsc";
import type { DeserializationSchema, SerializationSchema, TypeInformation } from "@millrace/core";
import { decodeAvro, encodeAvro, resolverFor } from "./avro-coding.js";
import type { Resolver } from "./avro-coding.js";
import type { AvroDefinition, AvroValue } from "./avro-definition.js";
import { typeInformationOf } from "./avro-type-information.js";
import { avroType, parseDefinition } from "./avro-types.js";
import type { AvroTypeOptions } from "./avro-types.js";

/** How messages in bare Avro are read and written. */
export interface AvroSchemaOptions extends AvroTypeOptions {
  /** The schema the messages were written with, when it is another: they are read by Avro's rules of schema resolution. */
  readonly writerSchema?: AvroDefinition;
}

/**
 * Messages that are one value in Avro's binary form each, without a header: both sides must know the schema. Flink: AvroDeserializationSchema.
 *
 * `bytes` and `fixed` are `Uint8Array`, `decimal` exact text (`"12.50"`), `date` `"yyyy-MM-dd"`, `uuid` text, and see {@link AvroTypeOptions}. A union is its
 * branch's value where values tell the branches apart, else `{ branch: value }`. Errors: `RECORD_NOT_ENCODABLE`; what cannot be read is a malformed message.
 *
 * ```ts
 * const orders = AvroSchema.of<Order>({ type: "record", name: "Order", fields: [{ name: "id", type: "long" }] });
 * ```
 */
export class AvroSchema<T> implements DeserializationSchema<T>, SerializationSchema<T> {
  readonly name = "Avro";
  readonly producedType: TypeInformation<T>;
  readonly #type: Type;
  readonly #writerType: Type;
  readonly #resolver: Resolver | undefined;

  private constructor(schema: AvroDefinition, options: AvroSchemaOptions) {
    this.#type = avroType(parseDefinition(schema), options);
    this.#writerType = options.writerSchema === undefined ? this.#type : avroType(parseDefinition(options.writerSchema), options);
    this.#resolver = resolverFor(this.#type, this.#writerType, "the message");
    this.producedType = typeInformationOf(this.#type) as TypeInformation<T>;
  }

  /** `T` is what you promise; the schema may be JSON text. @throws `FORMAT_SCHEMA_INVALID`, `SCHEMA_INCOMPATIBLE` */
  static of<T>(schema: AvroDefinition, options: AvroSchemaOptions = {}): AvroSchema<T> {
    return new AvroSchema<T>(schema, options);
  }

  /** The record type comes from the schema, which must be a literal. @throws `FORMAT_SCHEMA_INVALID` */
  static infer<const S extends AvroDefinition>(schema: S): AvroSchema<AvroValue<S>> {
    return new AvroSchema<AvroValue<S>>(schema, {});
  }

  deserialize(bytes: Uint8Array, start: number, end: number): T {
    return decodeAvro(this.#type, this.#resolver, bytes, start, end) as T;
  }

  /** Writes with the schema, never with `writerSchema`. */
  serialize(value: T): Uint8Array {
    return encodeAvro(this.#type, value);
  }
}
