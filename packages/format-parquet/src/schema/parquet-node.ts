import { MillraceError, Types, nearest } from "@millrace/core";
import type { TypeInformation } from "@millrace/core";
import type { ParquetColumn, ParquetColumns } from "./parquet-columns.js";

/** A type with its parts: of a column as declared, or as a file has it. */
export type ParquetNode = LeafNode | ListNode | MapNode | StructNode;

export interface LeafNode {
  readonly kind: "leaf";
  readonly type: LeafType;
  readonly nullable: boolean;
  /** Of decimals. */
  readonly precision?: number;
  readonly scale?: number;
  /** Of `fixed`, and of decimals in bytes. */
  readonly length?: number;
}
export interface ListNode {
  readonly kind: "list";
  readonly element: ParquetNode;
  readonly nullable: boolean;
}
export interface MapNode {
  readonly kind: "map";
  readonly key: LeafNode;
  readonly value: ParquetNode;
  readonly nullable: boolean;
}
export interface StructNode {
  readonly kind: "struct";
  readonly fields: ReadonlyMap<string, ParquetNode>;
  readonly nullable: boolean;
}

const simple = [
  "boolean", "int32", "uint32", "int64", "uint64", "int64-number", "float", "double", "string", "bytes", "uuid", "date", "time-millis", "time-micros", "time-nanos",
  "timestamp-millis", "timestamp-micros", "timestamp-nanos", "interval",
] as const;
export type LeafType = (typeof simple)[number] | "decimal" | "fixed";

const MAX_PRECISION = 76;

/** @throws `FORMAT_SCHEMA_INVALID` */
export function nodesOf(columns: ParquetColumns, path: string = ""): ReadonlyMap<string, ParquetNode> {
  const entries = Object.entries(columns);
  if (entries.length === 0) throw invalid(path, "it has no columns");
  return new Map(entries.map(([name, column]) => [name, nodeOf(column, path === "" ? name : `${path}.${name}`)]));
}

function nodeOf(column: ParquetColumn, path: string): ParquetNode {
  if (typeof column === "string") return leafOf(column, path);
  const nullable = column.nullable ?? false;
  if ("list" in column) return { kind: "list", element: nodeOf(column.list, `${path}.element`), nullable };
  if ("map" in column) return { kind: "map", key: leafOf(column.map[0], `${path}.key`), value: nodeOf(column.map[1], `${path}.value`), nullable };
  if ("struct" in column) return { kind: "struct", fields: nodesOf(column.struct, path), nullable };
  throw invalid(path, "its type is none");
}

function leafOf(text: string, path: string): LeafNode {
  const nullable = text.endsWith("?");
  const name = nullable ? text.slice(0, -1) : text;
  if ((simple as readonly string[]).includes(name)) return { kind: "leaf", type: name as LeafType, nullable };
  const fixed = /^fixed\((\d+)\)$/.exec(name);
  if (fixed !== null && Number(fixed[1]) > 0) return { kind: "leaf", type: "fixed", length: Number(fixed[1]), nullable };
  const decimal = /^decimal\((\d+), ?(\d+)\)$/.exec(name);
  const [precision, scale] = [Number(decimal?.[1]), Number(decimal?.[2])];
  if (decimal !== null && precision > 0 && precision <= MAX_PRECISION && scale <= precision) return { kind: "leaf", type: "decimal", precision, scale, nullable };
  const similar = nearest(name, simple);
  throw invalid(path, `its type "${text}" is none`, similar === undefined ? `there are ${simple.join(", ")}, decimal(precision,scale), fixed(length); each may have a "?" behind it` : `did you mean "${similar}"?`);
}

function invalid(path: string, why: string, hint?: string): MillraceError {
  return new MillraceError({ code: "FORMAT_SCHEMA_INVALID", message: `the Parquet ${path === "" ? "schema" : `column "${path}"`} cannot be used: ${why}`, ...(hint === undefined ? {} : { hint }) });
}

/** As it is written in a declaration, for messages. */
export function describe(node: ParquetNode): string {
  const nullable = node.nullable ? "?" : "";
  switch (node.kind) {
    case "leaf": return `${node.type}${node.type === "decimal" ? `(${node.precision},${node.scale})` : node.type === "fixed" ? `(${node.length})` : ""}${nullable}`;
    case "list": return `list of ${describe(node.element)}${nullable}`;
    case "map": return `map of ${describe(node.key)} to ${describe(node.value)}${nullable}`;
    case "struct": return `struct of ${[...node.fields].map(([name, field]) => `${name} ${describe(field)}`).join(", ")}${nullable}`;
  }
}

/** True when maps with such keys are plain objects. */
export function hasTextKeys({ key }: MapNode): boolean {
  return key.type === "string" || key.type === "uuid" || key.type === "date";
}

/** The declared type of records with such columns. */
export function typeInformationOf(columns: ReadonlyMap<string, ParquetNode>): TypeInformation<any> {
  return Types.object(Object.fromEntries([...columns].map(([name, node]) => [name, typeOf(node)])));
}

function typeOf(node: ParquetNode): TypeInformation<any> {
  const bare = bareTypeOf(node);
  return node.nullable ? Types.nullable(bare) : bare;
}

function bareTypeOf(node: ParquetNode): TypeInformation<any> {
  if (node.kind === "list") return Types.array(typeOf(node.element));
  if (node.kind === "map") return hasTextKeys(node) ? Types.any : Types.map(typeOf(node.key), typeOf(node.value));
  if (node.kind === "struct") return typeInformationOf(node.fields);
  switch (node.type) {
    case "boolean": return Types.boolean;
    case "int64": case "uint64": case "timestamp-micros": case "timestamp-nanos": return Types.bigint;
    case "string": case "uuid": case "date": case "decimal": return Types.string;
    case "bytes": case "fixed": return Types.bytes;
    case "interval": return Types.any;
    default: return Types.number;
  }
}
