import type { Type } from "avsc";
import { MillraceError } from "@millrace/core";

/** What the library makes to read one schema's data as another's. */
export type Resolver = ReturnType<Type["createResolver"]>;

/** One value that fills `bytes[start, end)`. @throws Error for bytes that are too few, too many or not of the type */
export function decodeAvro(type: Type, resolver: Resolver | undefined, bytes: Uint8Array, start: number, end: number): unknown {
  const { value, offset } = type.decode(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start), 0, resolver);
  if (offset === end - start) return value;
  throw new Error(offset < 0 ? "the bytes end too early" : `${end - start - offset} bytes are left over`);
}

/** @throws `RECORD_NOT_ENCODABLE`, with the path of the first field that does not fit */
export function encodeAvro(type: Type, value: unknown): Buffer {
  try {
    return type.toBuffer(value);
  } catch (cause) {
    throw notEncodable(type, value, cause);
  }
}

/** A resolver that reads what `writer` wrote as `reader`; `undefined` when both are the same. @throws `SCHEMA_INCOMPATIBLE` with both schemas */
export function resolverFor(reader: Type, writer: Type, where: string): Resolver | undefined {
  try {
    const resolver = reader.createResolver(writer);
    return reader.equals(writer) ? undefined : resolver;
  } catch (cause) {
    throw new MillraceError({
      code: "SCHEMA_INCOMPATIBLE", message: `${where} was written with a schema that cannot be read as the one asked for: ${(cause as Error).message}; written: ${shorten(writer)}; asked for: ${shorten(reader)}`,
      hint: "fields that were added need defaults, and types may only be widened (Avro's rules of schema resolution)", cause,
    });
  }
}

function shorten(type: Type): string {
  const text = JSON.stringify(type);
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}

function notEncodable(type: Type, value: unknown, cause: unknown): MillraceError {
  let place: string | undefined;
  try {
    type.isValid(value, {
      errorHook: (path: string[], found: unknown, expected: Type) => {
        place ??= `${path.length === 0 ? "it" : `field "${path.join(".")}"`} is ${show(found)}, which is no ${expected.name ?? expected.typeName.replace("logical:", "").replace("abstract:", "")}`;
      },
    });
  } catch {
    // What made the check itself fail is in `cause`.
  }
  return new MillraceError({
    code: "RECORD_NOT_ENCODABLE", message: `a record does not fit the Avro schema: ${place ?? (cause as Error).message}`,
    hint: "longs are bigint (or set long: \"number\"), decimals text such as \"12.50\", missing values null", cause,
  });
}

function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "object" && value !== null) return value instanceof Uint8Array ? `${value.length} bytes` : Array.isArray(value) ? "an array" : "an object";
  return typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : String(value);
}
