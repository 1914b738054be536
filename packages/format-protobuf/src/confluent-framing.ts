import { MillraceError } from "@millrace/core";

/** What stands before messages that are written; messages are read whatever stands there. */
export interface ConfluentFraming {
  /** The id of the schema in the registry; needed to write. */
  readonly schemaId?: number;
  /** Which message of the schema it is, from the outer to the inner. Default: the first. */
  readonly messageIndexes?: readonly number[];
}

const HEADER_BYTES = 5;
const MAX_DEPTH = 64;

/** Where the message itself begins. @throws Error for what is no such frame */
export function confluentBody(bytes: Uint8Array, start: number, end: number): number {
  if (end - start <= HEADER_BYTES || bytes[start] !== 0) throw new Error(`it does not begin with a schema id: ${end - start} bytes, the first of which is ${bytes[start] ?? "missing"}`);
  let at = start + HEADER_BYTES;
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
  for (let i = 0; i < count; i++) next();
  return at;
}

/** @throws `OPTION_INVALID` without a schema id */
export function confluentHeader({ schemaId, messageIndexes = [0] }: ConfluentFraming): Uint8Array {
  if (!(Number.isInteger(schemaId) && schemaId! >= 0)) {
    throw new MillraceError({ code: "OPTION_INVALID", message: "writing with Confluent's framing needs the id of the schema", hint: "give confluent: { schemaId }", location: { option: "confluent" } });
  }
  const header = [0, schemaId! >>> 24, (schemaId! >>> 16) & 255, (schemaId! >>> 8) & 255, schemaId! & 255];
  // The first message alone is so common that it is one zero byte.
  const numbers = messageIndexes.length === 1 && messageIndexes[0] === 0 ? [0] : [messageIndexes.length, ...messageIndexes];
  for (const number of numbers) {
    let rest = number * 2;
    for (; rest > 127; rest = Math.floor(rest / 128)) header.push((rest & 127) | 128);
    header.push(rest);
  }
  return Uint8Array.from(header);
}
