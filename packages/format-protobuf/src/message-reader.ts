import type { Type } from "protobufjs";
import { fieldsOf } from "./message-fields.js";
import type { MessageField } from "./message-fields.js";

/** How messages become records. */
export interface ProtobufReadingOptions {
  /** 64-bit integers: default `bigint`. `"number"` makes messages with values beyond ±(2^53 − 1) malformed ones. */
  readonly long?: "bigint" | "number";
  /** A number that an enum has no name for makes the message a malformed one (default), or stays a number. */
  readonly unknownEnum?: "fail" | "number";
}

/** Those options, with their defaults. */
export type MessageReading = Required<ProtobufReadingOptions>;

export function messageReading({ long = "bigint", unknownEnum = "fail" }: ProtobufReadingOptions): MessageReading {
  return { long, unknownEnum };
}

/** Decodes `bytes`, of which the record may keep parts. @throws Error that says what is wrong with the message */
export function readMessage(type: Type, bytes: Uint8Array, reading: MessageReading): unknown {
  const record = type.toObject(type.decode(bytes), { longs: BigInt as never, enums: String, arrays: true, objects: true }) as Record<string, unknown>;
  return finish(type, record, reading, "");
}

/** Fills in defaults of fields that cannot be missing, and checks what the library lets through. */
function finish(type: Type, record: Record<string, unknown>, reading: MessageReading, path: string): Record<string, unknown> {
  for (const field of fieldsOf(type)) {
    const { name, isRepeated, isMap } = field;
    const value = record[name];
    if (value === undefined) {
      if (!field.hasPresence && !isRepeated && !isMap && !field.isRequired) record[name] = reading.long === "number" && field.kind === "long" ? 0 : field.defaultValue();
      continue;
    }
    const at = path === "" ? name : `${path}.${name}`;
    if (isRepeated) record[name] = (value as unknown[]).map((one) => finishValue(field, one, reading, at));
    else if (isMap) for (const [key, one] of Object.entries(value as object)) (value as Record<string, unknown>)[key] = finishValue(field, one, reading, at);
    else record[name] = finishValue(field, value, reading, at);
  }
  return record;
}

function finishValue({ kind, message, enumeration }: MessageField, value: unknown, reading: MessageReading, path: string): unknown {
  if (kind === "message") return finish(message!, value as Record<string, unknown>, reading, path);
  if (kind === "enum" && typeof value === "number" && reading.unknownEnum === "fail") throw new Error(`field "${path}" is ${value}, which ${enumeration!.name} does not have`);
  if (kind === "long" && reading.long === "number") {
    if (!Number.isSafeInteger(Number(value as bigint))) throw new Error(`field "${path}" is ${String(value)}, which no number holds`);
    return Number(value as bigint);
  }
  return value;
}
