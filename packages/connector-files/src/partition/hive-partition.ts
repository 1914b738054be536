import { MillraceError, Types } from "@millrace/core";
import type { TypeInformation } from "@millrace/core";

/** What the directory of a partition becomes: text, a whole number up to ±(2^53 − 1), or a `bigint`; with `?`, Hive's default partition is `null`. */
export type PartitionType = "string" | "int" | "bigint" | "string?" | "int?" | "bigint?";
/** The keys of partitions and their types, from the outer directory to the inner. */
export type PartitionKeys = Readonly<Record<string, PartitionType>>;

interface PartitionTypes {
  string: string;
  int: number;
  bigint: bigint;
  "string?": string | null;
  "int?": number | null;
  "bigint?": bigint | null;
}
/** What partitions add to records. */
export type PartitionValues<K extends PartitionKeys> = { -readonly [P in keyof K]: PartitionTypes[K[P]] };

/** What Hive calls the directory of rows whose key is null or empty. */
export const DEFAULT_PARTITION = "__HIVE_DEFAULT_PARTITION__";

const declared: Readonly<Record<string, TypeInformation<any>>> = { string: Types.string, int: Types.number, bigint: Types.bigint };

/** The type of records with such keys in addition; `undefined` when the records' own is not known. */
export function typeWithPartitions(type: TypeInformation<any> | undefined, keys: PartitionKeys): TypeInformation<any> | undefined {
  if (type?.schema.kind !== "object") return undefined;
  const added = Object.entries(keys).map(([key, name]) => {
    const base = declared[name.replace("?", "")]!;
    return [key, (name.endsWith("?") ? Types.nullable(base) : base).schema] as const;
  });
  return { schema: { kind: "object", fields: { ...type.schema.fields, ...Object.fromEntries(added) } } };
}

/** `key=value` directories of a path, decoded, by key. */
export function partitionTexts(path: string): Map<string, string> {
  const texts = new Map<string, string>();
  for (const segment of path.split("/")) {
    const at = segment.indexOf("=");
    if (at > 0) texts.set(unescape(segment.slice(0, at)), unescape(segment.slice(at + 1)));
  }
  return texts;
}

/**
 * The values of a file's partition; `undefined` when the path does not have all keys (yet).
 * @throws `PARTITION_INVALID` for a value that is not of the key's type
 */
export function partitionOf(path: string, keys: PartitionKeys): Record<string, unknown> | undefined {
  const texts = partitionTexts(path);
  const values: Record<string, unknown> = {};
  for (const [key, type] of Object.entries(keys)) {
    const text = texts.get(key);
    if (text === undefined) return undefined;
    values[key] = valueOf(text, type, key, path);
  }
  return values;
}

/** @throws `PARTITION_INVALID` */
export function partitionMissing(path: string, keys: PartitionKeys): MillraceError {
  const missing = Object.keys(keys).filter((key) => !partitionTexts(path).has(key));
  return new MillraceError({
    code: "PARTITION_INVALID", message: `"${path}" is in no partition by ${missing.join(", ")}`, hint: `the path should hold ${missing.map((key) => `${key}=…`).join("/")}`, location: { file: path },
  });
}

function valueOf(text: string, type: PartitionType, key: string, path: string): unknown {
  const base = type.replace("?", "");
  if (text === DEFAULT_PARTITION && type.endsWith("?")) return null;
  if (base === "string" && text !== DEFAULT_PARTITION) return text;
  const isWhole = /^[+-]?\d+$/.test(text);
  if (base === "bigint" && isWhole) return BigInt(text.replace("+", ""));
  if (base === "int" && isWhole && Number.isSafeInteger(Number(text))) return Number(text);
  throw new MillraceError({
    code: "PARTITION_INVALID", message: `the partition "${key}=${text}" of "${path}" is no ${base}`, hint: text === DEFAULT_PARTITION ? `declare it as "${base}?"` : "declare the key as a string", location: { file: path },
  });
}

/** The bucket of a partition: `dt=2026-01-01/hour=5`, escaped as Hive does. */
export function partitionPath(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values).map(([key, value]) => {
    const text = value === null || value === undefined || value === "" ? DEFAULT_PARTITION : value instanceof Date ? value.toISOString().slice(0, 10) : String(value as string);
    return `${escape(key)}=${escape(text)}`;
  }).join("/");
}

function escape(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are among what Hive escapes
  return text.replace(/[\u0000-\u001f\u007f"#%'*/:=?\\{[\]^]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`);
}

function unescape(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
