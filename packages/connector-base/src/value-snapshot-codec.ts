import { decodeValue, encodeValue } from "@millrace/core";
import type { SnapshotCodec } from "@millrace/core";

/** Any plain value, exactly: `Date`, `Map`, `bigint`, bytes and `undefined` come back as they were. */
export const valueSnapshotCodec: SnapshotCodec<never> = {
  encode: (value: unknown) => encodeValue(value),
  decode: (bytes) => decodeValue(bytes) as never,
};
