import { MillraceError, bigintOfBytes, decimalText, isoOfEpochDay } from "@millrace/core";
import { describe, hasTextKeys } from "../schema/parquet-node.js";
import type { LeafNode, LeafType, MapNode, ParquetNode } from "../schema/parquet-node.js";

/** Turns what the library read into the value of a record. @throws `FORMAT_VALUE_UNFIT` */
export type ValueReader = (raw: unknown) => unknown;

/**
 * The reader of a column that is `file` in the file and shall be `wanted`; numbers may be widened, time stamps may change their unit (digits finer than
 * milliseconds are cut off).
 * @throws `SCHEMA_INCOMPATIBLE`
 */
export function valueReader(file: ParquetNode, wanted: ParquetNode, path: string): ValueReader {
  const read = bareReader(file, wanted, path);
  const isRequired = !wanted.nullable;
  if (read === same && !(isRequired && file.nullable)) return file.nullable ? asItIsOrNull : asItIs;
  return (raw) => {
    if (raw !== null && raw !== undefined) return read(raw);
    if (isRequired && file.nullable) throw unfit(path, "null", wanted);
    return null;
  };
}

function bareReader(file: ParquetNode, wanted: ParquetNode, path: string): ValueReader {
  if (file.kind === "leaf" && wanted.kind === "leaf") {
    const read = leafReader(file.type, file);
    const cast = castOf(file, wanted, path);
    if (cast === undefined) throw incompatible(path, file, wanted);
    return cast === "as it is" ? read : (raw) => cast(read(raw));
  }
  if (file.kind === "list" && wanted.kind === "list") {
    const element = valueReader(file.element, wanted.element, `${path}.element`);
    return (raw) => (raw as unknown[]).map(element);
  }
  if (file.kind === "map" && wanted.kind === "map") return mapReader(file, wanted, path);
  if (file.kind === "struct" && wanted.kind === "struct") {
    const fields = [...wanted.fields].map(([name, field]) => {
      const found = file.fields.get(name);
      if (found === undefined && !field.nullable) throw incompatible(`${path}.${name}`, undefined, field);
      return [name, found === undefined ? () => null : valueReader(found, field, `${path}.${name}`)] as const;
    });
    return (raw) => Object.fromEntries(fields.map(([name, read]) => [name, read((raw as Record<string, unknown>)[name])]));
  }
  throw incompatible(path, file, wanted);
}

function mapReader(file: MapNode, wanted: MapNode, path: string): ValueReader {
  const key = valueReader(file.key, { ...wanted.key, nullable: false }, `${path}.key`);
  const content = valueReader(file.value, wanted.value, `${path}.value`);
  const isText = hasTextKeys(wanted);
  return (raw) => {
    // Maps are read as the structs they are made of: { key_value: [{ key, value }, …] }, whatever these are called.
    const entries = (Object.values(raw as object)[0] ?? []) as readonly object[];
    const pairs = entries.map((entry): [unknown, unknown] => {
      const [k, v] = Object.values(entry) as [unknown, unknown];
      return [key(k), content(v)];
    });
    return isText ? Object.fromEntries(pairs) : new Map(pairs);
  };
}

const same: ValueReader = (raw) => raw;
/** The reader of a column whose values are what records have, and never null. */
export const asItIs: ValueReader = (raw) => raw;
/** The same of one that may be null. */
export const asItIsOrNull: ValueReader = (raw) => raw ?? null;

function leafReader(type: LeafType, { scale = 0 }: LeafNode): ValueReader {
  switch (type) {
    case "decimal": return (raw) => decimalText(unscaledOf(raw), scale);
    case "time-micros": case "time-nanos": return Number;
    case "date": return (raw) => isoOfEpochDay(raw as number);
    // A copy: what the library gives is a view of a whole page.
    case "bytes": case "fixed": return (raw) => new Uint8Array(raw as Uint8Array);
    case "string": return (raw) => (typeof raw === "string" ? raw : Buffer.from(raw as Uint8Array).toString());
    case "interval": return (raw) => {
      const view = new DataView((raw as Uint8Array).buffer, (raw as Uint8Array).byteOffset);
      return { months: view.getUint32(0, true), days: view.getUint32(4, true), millis: view.getUint32(8, true) };
    };
    default: return same;
  }
}

/** The unscaled integer of a decimal as the file has it. */
export function unscaledOf(raw: unknown): bigint {
  return raw instanceof Uint8Array ? bigintOfBytes(raw) : BigInt(raw as number | bigint);
}

const floored = (unit: bigint): ValueReader => (value) => Number(((value as bigint) - ((((value as bigint) % unit) + unit) % unit)) / unit);
const bigger: ValueReader = (value) => BigInt(value as number);

function castOf(file: LeafNode, wanted: LeafNode, path: string): ValueReader | "as it is" | undefined {
  if (file.type === "decimal" && wanted.type === "decimal") return file.scale === wanted.scale && file.precision! <= wanted.precision! ? "as it is" : undefined;
  if (file.type === "fixed" && wanted.type === "fixed") return file.length === wanted.length ? "as it is" : undefined;
  if (file.type === wanted.type) return "as it is";
  const toNumber: ValueReader = (value) => {
    const number = Number(value as bigint);
    if (!Number.isSafeInteger(number)) throw unfit(path, `${String(value)}, which no number holds`, wanted);
    return number;
  };
  switch (`${file.type} ${wanted.type}`) {
    case "int32 int64": case "uint32 int64": case "uint32 uint64": case "timestamp-millis int64": return bigger;
    case "int32 double": case "uint32 double": case "float double": case "int32 int64-number": case "uint32 int64-number": case "fixed bytes": return "as it is";
    case "int64 int64-number": case "uint64 int64-number": return toNumber;
    case "timestamp-micros timestamp-millis": return floored(1000n);
    case "timestamp-nanos timestamp-millis": return floored(1_000_000n);
    case "timestamp-millis timestamp-micros": return (value) => BigInt(value as number) * 1000n;
    case "timestamp-millis timestamp-nanos": return (value) => BigInt(value as number) * 1_000_000n;
    case "timestamp-micros timestamp-nanos": return (value) => (value as bigint) * 1000n;
    default: return undefined;
  }
}

export function incompatible(path: string, file: ParquetNode | undefined, wanted: ParquetNode): MillraceError {
  return new MillraceError({
    code: "SCHEMA_INCOMPATIBLE", message: `column "${path}" shall be ${describe(wanted)}, and ${file === undefined ? "the file does not have it" : `is ${describe(file)} in the file`}`,
    hint: file === undefined ? 'a column that may be missing needs a "?" (or nullable: true)' : `declare it as ${describe(file)}`,
  });
}

function unfit(path: string, what: string, wanted: ParquetNode): MillraceError {
  return new MillraceError({ code: "FORMAT_VALUE_UNFIT", message: `column "${path}" is ${what}, and shall be ${describe(wanted)}`, hint: 'a column that may be null needs a "?" (or nullable: true); large integers need int64' });
}
