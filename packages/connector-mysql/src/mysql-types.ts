import type { JdbcKind, JdbcRawValue, JdbcType } from "@millrace/connector-jdbc";

/** A column of a result, as the protocol describes it. */
export interface FieldDefinition {
  readonly name: string;
  readonly columnType: number;
  readonly columnLength: number;
  readonly characterSet: number;
  readonly decimals: number;
  readonly flags: number;
  /** MariaDB says so of JSON columns, whose type is text. */
  readonly extendedFormat?: string;
}

const UNSIGNED = 32;
const ENUM = 256;
const SET = 2048;
const BINARY_CHARACTER_SET = 63;
/** What stands for "as many as there are" in a field's decimals. */
const NOT_FIXED = 31;

const INTEGERS: Readonly<Record<number, readonly [string, number]>> = { 1: ["tinyint", 8], 2: ["smallint", 16], 3: ["int", 32], 8: ["bigint", 64], 9: ["mediumint", 24], 13: ["year", 16] };
const TIMES: Readonly<Record<number, readonly [JdbcKind, string]>> = { 7: ["timestamptz", "timestamp"], 10: ["date", "date"], 11: ["time", "time"], 12: ["timestamp", "datetime"], 14: ["date", "date"] };

/** The type of a result's column. https://mariadb.com/kb/en/result-set-packets/#field-types */
export function typeOfField({ columnType, characterSet, decimals, flags, extendedFormat }: FieldDefinition): JdbcType {
  const integer = INTEGERS[columnType];
  if (integer !== undefined) return { kind: "integer", name: integer[0], bits: integer[1], unsigned: (flags & UNSIGNED) !== 0 };
  const time = TIMES[columnType];
  if (time !== undefined) return { kind: time[0], name: time[1], fractionDigits: decimals === NOT_FIXED ? 6 : decimals };
  if (extendedFormat === "json" || columnType === 245) return { kind: "json", name: "json" };
  switch (columnType) {
    case 0:
    case 246:
      return { kind: "decimal", name: "decimal", ...(decimals === NOT_FIXED ? {} : { scale: decimals }) };
    case 4:
      return { kind: "float", name: "float", bits: 32 };
    case 5:
      return { kind: "float", name: "double", bits: 64 };
    case 16:
      return { kind: "bit", name: "bit" };
    case 255:
      return { kind: "other", name: "geometry" };
    default:
      if ((flags & SET) !== 0 || columnType === 248) return { kind: "set", name: "set" };
      if ((flags & ENUM) !== 0 || columnType === 247) return { kind: "string", name: "enum" };
      return characterSet === BINARY_CHARACTER_SET ? { kind: "bytes", name: "blob" } : { kind: "string", name: "text" };
  }
}

/** A row of `information_schema.COLUMNS`. */
export interface ColumnRow {
  readonly dataType: string;
  /** With its modifiers: `int(10) unsigned`. */
  readonly columnType: string;
  readonly scale: number | undefined;
  readonly fractionDigits: number | undefined;
  /** A text that must be JSON. */
  readonly isJson: boolean;
}

const DECLARED_INTEGERS: Readonly<Record<string, number>> = { tinyint: 8, smallint: 16, mediumint: 24, int: 32, bigint: 64, year: 16 };
const DECLARED: Readonly<Record<string, JdbcKind>> = {
  decimal: "decimal", float: "float", double: "float", bit: "bit", date: "date", time: "time", datetime: "timestamp", timestamp: "timestamptz", json: "json", set: "set", uuid: "uuid",
  binary: "bytes", varbinary: "bytes", tinyblob: "bytes", blob: "bytes", mediumblob: "bytes", longblob: "bytes", geometry: "other", point: "other", inet4: "other", inet6: "other",
};

/** The type of a table's column. */
export function typeOfColumn({ dataType, columnType, scale, fractionDigits, isJson }: ColumnRow): JdbcType {
  const bits = DECLARED_INTEGERS[dataType];
  if (bits !== undefined) return { kind: "integer", name: dataType, bits, unsigned: /unsigned/i.test(columnType) };
  const kind = isJson ? "json" : (DECLARED[dataType] ?? "string");
  return {
    kind, name: isJson ? "json" : dataType, ...(kind === "decimal" && scale !== undefined ? { scale } : {}), ...(fractionDigits === undefined ? {} : { fractionDigits }),
    ...(kind === "float" ? { bits: dataType === "float" ? 32 : 64 } : {}),
  };
}

/** The bits of a BIT as a number in decimal; other values as they are. */
export function rawOf(value: JdbcRawValue, type: JdbcType): JdbcRawValue {
  if (type.kind !== "bit" || !(value instanceof Uint8Array)) return value;
  return BigInt(`0x${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("hex")}`).toString();
}
