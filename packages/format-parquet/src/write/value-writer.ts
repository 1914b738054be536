import { MillraceError, epochDayOf, isMillraceError, unscaledDecimal } from "@millrace/core";
import { describe, hasTextKeys } from "../schema/parquet-node.js";
import type { LeafNode, ParquetNode } from "../schema/parquet-node.js";

/** Bytes that values take before encoding, about: what decides when a row group is full. */
export interface SizeEstimate {
  bytes: number;
}

/** Turns a value into the form the library writes exactly. @throws `RECORD_NOT_ENCODABLE` with the path of what does not fit */
export type ValueWriter = (value: unknown, path: string, size: SizeEstimate) => unknown;

export function valueWriter(node: ParquetNode): ValueWriter {
  const write = bareWriter(node);
  return (value, path, size) => {
    if (value !== null && value !== undefined) return write(value, path, size);
    size.bytes += 1;
    if (node.nullable) return null;
    throw notEncodable(value, path, node);
  };
}

function bareWriter(node: ParquetNode): ValueWriter {
  switch (node.kind) {
    case "leaf": return leafWriter(node);
    case "list": {
      const element = valueWriter(node.element);
      return (value, path, size) => {
        if (!Array.isArray(value)) throw notEncodable(value, path, node);
        return value.map((one: unknown, i) => element(one, `${path}[${i}]`, size));
      };
    }
    case "map": {
      const [key, content] = [valueWriter({ ...node.key, nullable: false }), valueWriter(node.value)];
      return (value, path, size) => {
        const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : hasTextKeys(node) && typeof value === "object" && !Array.isArray(value) ? Object.entries(value!) : undefined;
        if (entries === undefined) throw notEncodable(value, path, node);
        return entries.map(([k, v]) => ({ key: key(k, `${path} (key)`, size), value: content(v, `${path}[${String(k)}]`, size) }));
      };
    }
    case "struct": {
      const fields = [...node.fields].map(([name, field]) => [name, valueWriter(field)] as const);
      return (value, path, size) => {
        if (typeof value !== "object" || Array.isArray(value)) throw notEncodable(value, path, node);
        return Object.fromEntries(fields.map(([name, write]) => [name, write((value as Record<string, unknown>)[name], `${path}.${name}`, size)]));
      };
    }
  }
}

function leafWriter(node: LeafNode): ValueWriter {
  const convert = conversionOf(node);
  return (value, path, size) => {
    let converted: unknown;
    try {
      converted = convert(value);
    } catch (cause) {
      throw notEncodable(value, path, node, cause);
    }
    if (converted === undefined) throw notEncodable(value, path, node);
    size.bytes += typeof converted === "string" ? converted.length + 4 : converted instanceof Uint8Array ? converted.length + 4 : 8;
    return converted;
  };
}

/** Returns `undefined` for what does not fit. */
function conversionOf(node: LeafNode): (value: unknown) => unknown {
  switch (node.type) {
    case "boolean": return (value) => (typeof value === "boolean" ? value : undefined);
    case "int32": case "time-millis": return (value) => (typeof value === "number" && (value | 0) === value ? value : undefined);
    case "uint32": return (value) => (typeof value === "number" && value >>> 0 === value ? value : undefined);
    case "int64": case "int64-number": case "timestamp-micros": case "timestamp-nanos": case "timestamp-millis": case "time-micros": case "time-nanos": return toInt64;
    case "uint64": return (value) => (typeof value === "bigint" ? (BigInt.asUintN(64, value) === value ? value : undefined) : Number.isSafeInteger(value) && (value as number) >= 0 ? BigInt(value as number) : undefined);
    case "float": case "double": return (value) => (typeof value === "number" ? value : undefined);
    case "string": return (value) => (typeof value === "string" ? value : undefined);
    case "bytes": return (value) => (value instanceof Uint8Array ? value : undefined);
    case "fixed": return (value) => (value instanceof Uint8Array && value.length === node.length ? value : undefined);
    case "uuid": return (value) => (typeof value === "string" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value) ? value.toLowerCase() : undefined);
    case "date": return (value) => {
      const day = epochDayOf(value);
      return day !== undefined && (day | 0) === day ? day : undefined;
    };
    case "decimal": return (value) => (typeof value === "string" || typeof value === "number" || typeof value === "bigint" ? unscaledDecimal(value, node.scale!, node.precision!) : undefined);
    case "interval": return () => undefined;
  }
}

function toInt64(value: unknown): bigint | undefined {
  if (typeof value === "bigint") return BigInt.asIntN(64, value) === value ? value : undefined;
  return Number.isSafeInteger(value) ? BigInt(value as number) : undefined;
}

function notEncodable(value: unknown, path: string, node: ParquetNode, cause?: unknown): MillraceError {
  const shown = typeof value === "bigint" ? `${value}n` : typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : value instanceof Uint8Array ? `${value.length} bytes`
    : typeof value === "object" && value !== null ? (Array.isArray(value) ? "an array" : "an object") : String(value);
  return new MillraceError({
    code: "RECORD_NOT_ENCODABLE", message: `a record does not fit the Parquet schema: column "${path}" is ${shown}, which is no ${describe(node)}${isMillraceError(cause) ? ` (${cause.message})` : ""}`,
    hint: node.nullable ? "map the record to what the schema says before the sink" : 'missing values need a column that may be null ("int32?", nullable: true)', cause,
  });
}
