import type { Type } from "protobufjs";
import type { DeserializationSchema, SerializationSchema } from "@millrace/core";
import { confluentHeader, readFrame } from "./confluent-framing.js";
import type { ConfluentFraming } from "./confluent-framing.js";
import { messageReading, readMessage } from "./message-reader.js";
import type { MessageReading, ProtobufReadingOptions } from "./message-reader.js";
import { writeMessage } from "./message-writer.js";
import { messageType } from "./protobuf-types.js";
import type { ProtobufSource } from "./protobuf-types.js";

/** What messages are and how they are read. */
export type ProtobufOptions = ProtobufSource & ProtobufReadingOptions & {
  /** The full name: `"shop.Order"`. */
  readonly message: string;
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
    this.#reading = messageReading(options);
    this.#framing = options.confluent === true ? {} : options.confluent;
  }

  /** @throws `FORMAT_SCHEMA_INVALID` */
  static of<T>(options: ProtobufOptions): ProtobufSchema<T> {
    return new ProtobufSchema<T>(options);
  }

  deserialize(bytes: Uint8Array, start: number, end: number): T {
    const from = this.#framing === undefined ? start : readFrame(bytes, start, end).bodyAt;
    // A copy: the record may keep parts of it.
    return readMessage(this.#type, new Uint8Array(bytes.subarray(from, end)), this.#reading) as T;
  }

  /** @throws `OPTION_INVALID` with Confluent's framing and no `schemaId` */
  serialize(value: T): Uint8Array {
    const message = writeMessage(this.#type, value);
    return this.#framing === undefined ? message : Buffer.concat([confluentHeader(this.#framing), message]);
  }
}
