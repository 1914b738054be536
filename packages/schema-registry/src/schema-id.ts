/** Bytes before a message: a zero and the id of its schema, the highest byte first. Confluent's wire format. */
export const SCHEMA_ID_BYTES = 5;

const MAGIC = 0;

/** The id that a message begins with; `undefined` when it is too short, or begins with another byte than zero. */
export function schemaIdOf(bytes: Uint8Array, start: number, end: number): number | undefined {
  if (end - start < SCHEMA_ID_BYTES || bytes[start] !== MAGIC) return undefined;
  return (bytes[start + 1]! << 24) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 8) | bytes[start + 4]!;
}

/** What a message without a schema id is malformed for. */
export function noSchemaId(bytes: Uint8Array, start: number, end: number): Error {
  return new Error(`it does not begin with a schema id: ${end - start} bytes, the first of which is ${bytes[start] ?? "missing"}`);
}

/** What stands before messages with the schema. */
export function schemaIdHeader(id: number): Uint8Array {
  return Uint8Array.of(MAGIC, id >>> 24, (id >>> 16) & 255, (id >>> 8) & 255, id & 255);
}
