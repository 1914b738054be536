import type { Type } from "protobufjs";
import { MillraceError, nearest } from "@millrace/core";
import { fieldsOf } from "./message-fields.js";
import type { MessageField } from "./message-fields.js";

/** @throws `RECORD_NOT_ENCODABLE` with the path of the first field that does not fit: the library would change or drop it */
export function writeMessage(type: Type, record: unknown): Uint8Array {
  check(type, record, "");
  return type.encode(type.fromObject(record as Record<string, unknown>)).finish();
}

function check(type: Type, record: unknown, path: string): void {
  if (typeof record !== "object" || record === null || Array.isArray(record)) throw unfit(path, record, `message ${type.name}`);
  const values = record as Record<string, unknown>;
  const fields = fieldsOf(type);
  for (const name of Object.keys(values)) {
    if (values[name] === undefined || fields.some((field) => field.name === name)) continue;
    const similar = nearest(name, fields.map((field) => field.name));
    throw new MillraceError({
      code: "RECORD_NOT_ENCODABLE", message: `a record does not fit the Protobuf message: ${type.name} has no field "${path === "" ? name : `${path}.${name}`}"`,
      ...(similar === undefined ? {} : { hint: `did you mean "${similar}"?` }),
    });
  }
  for (const field of fields) {
    const value = values[field.name];
    const at = path === "" ? field.name : `${path}.${field.name}`;
    if (value === undefined || value === null) {
      if (field.isRequired) throw unfit(at, value, `${field.type}, and is required`);
    } else if (field.isRepeated) {
      if (!Array.isArray(value)) throw unfit(at, value, "array");
      for (const [i, one] of value.entries()) checkValue(field, one, `${at}[${i}]`);
    } else if (field.isMap) {
      if (typeof value !== "object" || value instanceof Map) throw unfit(at, value, "plain object");
      for (const [key, one] of Object.entries(value)) checkValue(field, one, `${at}[${JSON.stringify(key)}]`);
    } else checkValue(field, value, at);
  }
  for (const oneof of type.oneofsArray) {
    const set = oneof.oneof.filter((name) => values[name] !== undefined && values[name] !== null);
    if (set.length > 1) throw new MillraceError({ code: "RECORD_NOT_ENCODABLE", message: `a record does not fit the Protobuf message: ${set.join(" and ")} are both there, and are one of each other ("${oneof.name}")` });
  }
}

const RANGES: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n], sint32: [-(2n ** 31n), 2n ** 31n - 1n], sfixed32: [-(2n ** 31n), 2n ** 31n - 1n], uint32: [0n, 2n ** 32n - 1n], fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n], sint64: [-(2n ** 63n), 2n ** 63n - 1n], sfixed64: [-(2n ** 63n), 2n ** 63n - 1n], uint64: [0n, 2n ** 64n - 1n], fixed64: [0n, 2n ** 64n - 1n],
};

function checkValue(field: MessageField, value: unknown, path: string): void {
  switch (field.kind) {
    case "message": return check(field.message!, value, path);
    case "enum":
      if (typeof value === "string" ? Object.hasOwn(field.enumeration!.values, value) : Number.isInteger(value)) return;
      throw unfit(path, value, `value of ${field.enumeration!.name}`);
    case "long": case "int": {
      const isWhole = typeof value === "bigint" ? field.kind === "long" : Number.isSafeInteger(value);
      const [low, high] = RANGES[field.type]!;
      if (isWhole && BigInt(value as number) >= low && BigInt(value as number) <= high) return;
      throw unfit(path, value, field.type);
    }
    case "float": if (typeof value === "number") return; break;
    case "boolean": if (typeof value === "boolean") return; break;
    case "string": if (typeof value === "string") return; break;
    case "bytes": if (value instanceof Uint8Array) return; break;
  }
  throw unfit(path, value, field.type);
}

function unfit(path: string, value: unknown, what: string): MillraceError {
  const shown = typeof value === "bigint" ? `${value}n` : typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : typeof value === "object" && value !== null ? "an object" : String(value);
  return new MillraceError({ code: "RECORD_NOT_ENCODABLE", message: `a record does not fit the Protobuf message: ${path === "" ? "it" : `field "${path}"`} is ${shown}, which is no ${what}` });
}
