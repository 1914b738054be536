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
  /**
   * For messages that hold any number of records: called in place of `deserialize` by sources that can emit several. Either all of them were
   * emitted when it returns, or it throws before the first.
   */
  deserializeEach?(bytes: Uint8Array, start: number, end: number, emit: (record: T) => void): void;
  /**
   * Asked before each message, with its bytes: a promise when something must be fetched first (a schema from its registry). The source calls
   * `deserialize` for the message once it has resolved; when it is rejected, the job fails with that error.
   */
  prepare?(bytes: Uint8Array, start: number, end: number): Promise<void> | undefined;
  /** True when messages without a value (Kafka's tombstones) are left out; without it they are malformed. */
  readonly ignoresTombstones?: boolean;
  /** The records' type, when the format knows it. */
  readonly producedType?: TypeInformation<T>;
}

/** Turns a record into the bytes of one message. Called from one thread; the bytes may be valid until the next call only. Flink: SerializationSchema. */
export interface SerializationSchema<T> {
  readonly name: string;
  /** Called, and waited for, by every writer before its first record: registers a schema, say. One object may be opened many times. */
  open?(): void | Promise<void>;
  /** @throws whatever says why the record has no such form; the job fails with it */
  serialize(value: T): Uint8Array;
}
