import { MillraceError } from "@millrace/core";
import { SCHEMA_ID_BYTES, noSchemaId, schemaIdHeader, schemaIdOf } from "@millrace/schema-registry";

/** What stands before messages that are written; messages are read whatever stands there. */
export interface ConfluentFraming {
  /** The id of the schema in the registry; needed to write. */
  readonly schemaId?: number;
  /** Which message of the schema it is, from the outer to the inner. Default: the first. */
  readonly messageIndexes?: readonly number[];
}

const MAX_DEPTH = 64;
const FIRST: readonly number[] = [0];

/** Where a message stands, and which one of its schema it is. */
export interface FramedMessage {
  readonly bodyAt: number;
  readonly messageIndexes: readonly number[];
}

/** @throws Error for what is no such frame */
export function readFrame(bytes: Uint8Array, start: number, end: number): FramedMessage {
  if (end - start <= SCHEMA_ID_BYTES || schemaIdOf(bytes, start, end) === undefined) throw noSchemaId(bytes, start, end);
  let at = start + SCHEMA_ID_BYTES;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      if (at >= end) throw new Error("it ends within the indexes of its message");
      const byte = bytes[at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
    throw new Error("the indexes of its message are damaged");
  };
  const count = next();
  if (count < 0 || count > MAX_DEPTH) throw new Error(`it says to be ${count} messages deep`);
  // The first message alone is so common that it is one zero byte.
  const messageIndexes = count === 0 ? FIRST : Array.from({ length: count }, next);
  return { bodyAt: at, messageIndexes };
}

/** @throws `OPTION_INVALID` without a schema id */
export function confluentHeader({ schemaId, messageIndexes = [0] }: ConfluentFraming): Uint8Array {
  if (!(Number.isInteger(schemaId) && schemaId! >= 0)) {
    throw new MillraceError({ code: "OPTION_INVALID", message: "writing with Confluent's framing needs the id of the schema", hint: "give confluent: { schemaId }", location: { option: "confluent" } });
  }
  const header = [...schemaIdHeader(schemaId!)];
  const numbers = messageIndexes.length === 1 && messageIndexes[0] === 0 ? [0] : [messageIndexes.length, ...messageIndexes];
  for (const number of numbers) {
    let rest = number * 2;
    for (; rest > 127; rest = Math.floor(rest / 128)) header.push((rest & 127) | 128);
    header.push(rest);
  }
  return Uint8Array.from(header);
}
