import type { Type } from "protobufjs";
import { MillraceError } from "@millrace/core";
import type { DeserializationSchema, SerializationSchema } from "@millrace/core";
import { confluentBody, confluentHeader } from "./confluent-framing.js";
import type { ConfluentFraming } from "./confluent-framing.js";
import { fieldsOf } from "./message-fields.js";
import { readMessage } from "./message-reader.js";
import type { MessageReading } from "./message-reader.js";
import { writeMessage } from "./message-writer.js";
import { messageType } from "./protobuf-types.js";
import type { ProtobufSource } from "./protobuf-types.js";

/** What messages are and how they are read. */
export type ProtobufOptions = ProtobufSource & {
  /** The full name: `"shop.Order"`. */
  readonly message: string;
  /** 64-bit integers: default `bigint`. `"number"` makes messages with values beyond ±(2^53 − 1) malformed ones. */
  readonly long?: "bigint" | "number";
  /** A number that an enum has no name for makes the message a malformed one (default), or stays a number. */
  readonly unknownEnum?: "fail" | "number";
  /** Confluent's framing: messages begin with a zero byte, the id of their schema and which message of it they are. Default: none. */
  readonly confluent?: ConfluentFraming | true;
};

/**
 * Messages of Protocol Buffers, proto2 and proto3. Flink: the protobuf format.
 *
 * Records are plain objects with the names of the definition: enums are text, `bytes` `Uint8Array`, maps plain objects, 64-bit integers `bigint`. A field
 * that cannot say that it is missing has its default; one that can (`optional`, messages, members of a `oneof`) is absent. A message without a required
 * field is malformed. Writing fails with `RECORD_NOT_ENCODABLE` for what does not fit, names of fields included.
 *
 * ```ts
 * const orders = ProtobufSchema.of<Order>({ proto: readFileSync("order.proto", "utf8"), message: "shop.Order" });
 * ```
 */
export class ProtobufSchema<T> implements DeserializationSchema<T>, SerializationSchema<T> {
  readonly name = "Protobuf";
  readonly #type: Type;
  readonly #reading: MessageReading;
  readonly #framing: ConfluentFraming | undefined;

  private constructor(options: ProtobufOptions) {
    this.#type = messageType(options, options.message);
    checkMaps(this.#type, new Set());
    this.#reading = { long: options.long ?? "bigint", unknownEnum: options.unknownEnum ?? "fail" };
    this.#framing = options.confluent === true ? {} : options.confluent;
  }

  /** @throws `FORMAT_SCHEMA_INVALID` */
  static of<T>(options: ProtobufOptions): ProtobufSchema<T> {
    return new ProtobufSchema<T>(options);
  }

  deserialize(bytes: Uint8Array, start: number, end: number): T {
    const from = this.#framing === undefined ? start : confluentBody(bytes, start, end);
    // A copy: the record may keep parts of it.
    return readMessage(this.#type, new Uint8Array(bytes.subarray(from, end)), this.#reading) as T;
  }

  /** @throws `OPTION_INVALID` with Confluent's framing and no `schemaId` */
  serialize(value: T): Uint8Array {
    const message = writeMessage(this.#type, value);
    return this.#framing === undefined ? message : Buffer.concat([confluentHeader(this.#framing), message]);
  }
}

/** Maps become plain objects, whose keys are text. */
function checkMaps(type: Type, seen: Set<Type>): void {
  if (seen.has(type)) return;
  seen.add(type);
  for (const { name, message, isMap, keyType } of fieldsOf(type)) {
    if (isMap && keyType === "bool") throw new MillraceError({ code: "FORMAT_SCHEMA_INVALID", message: `the map "${type.name}.${name}" has bool as keys, which cannot be read here` });
    if (message !== undefined) checkMaps(message, seen);
  }
}
