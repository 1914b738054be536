import type { TypeInformation } from "../types/type-information.js";

/**
 * Turns the bytes of one message into a record. Called from one thread; must neither keep nor change the bytes. Flink: DeserializationSchema.
 *
 * `bytes[start, end)` is the message; what is around it belongs to others. Whatever it throws makes the message a malformed one.
 */
export interface DeserializationSchema<T> {
  /** Named in errors: "JSON", "Avro". */
  readonly name: string;
  /** `undefined` leaves the message out. */
  deserialize(bytes: Uint8Array, start: number, end: number): T | undefined;
  /** The records' type, when the format knows it. */
  readonly producedType?: TypeInformation<T>;
}

/** Turns a record into the bytes of one message. Called from one thread; the bytes may be valid until the next call only. Flink: SerializationSchema. */
export interface SerializationSchema<T> {
  readonly name: string;
  /** @throws whatever says why the record has no such form; the job fails with it */
  serialize(value: T): Uint8Array;
}
