import { MillraceError } from "@millrace/core";
import { parquetSchema } from "hyparquet";
import type { FileMetaData, SchemaElement, SchemaTree } from "hyparquet";
import type { LeafNode, LeafType, ParquetNode } from "./parquet-node.js";

/** The columns of a file. */
export function fileColumns(metadata: FileMetaData): ReadonlyMap<string, ParquetNode> {
  return new Map(parquetSchema(metadata).children.map((child) => [child.element.name, nodeOf(child)]));
}

/** The metadata to read values with: what the library would convert with loss is left as it is in the file, and maps come as lists of their entries. */
export function rawMetadata(metadata: FileMetaData): FileMetaData {
  return {
    ...metadata,
    schema: metadata.schema.map((element): SchemaElement => {
      const { converted_type: converted, logical_type: logical, ...bare } = element;
      if (element.num_children !== undefined && element.num_children > 0 && (converted === "MAP" || converted === "MAP_KEY_VALUE" || logical?.type === "MAP")) return bare;
      if (converted === "DECIMAL" || logical?.type === "DECIMAL" || converted === "INTERVAL" || converted === "BSON" || converted === "JSON" || logical?.type === "JSON") return bare;
      if (converted === "ENUM" || logical?.type === "ENUM") return { ...bare, converted_type: "UTF8" };
      return element;
    }),
  };
}

function nodeOf(tree: SchemaTree): ParquetNode {
  const { element, children } = tree;
  if (element.repetition_type === "REPEATED") return { kind: "list", element: contentOf(tree, false), nullable: false };
  return contentOf(tree, element.repetition_type !== "REQUIRED" || (children.length === 0 && element.repetition_type === undefined));
}

function contentOf({ element, children }: SchemaTree, nullable: boolean): ParquetNode {
  if (children.length === 0) return leafOf(element, nullable);
  const first = children[0]!;
  const isRepeated = children.length === 1 && first.element.repetition_type === "REPEATED";
  const { converted_type: converted, logical_type: logical } = element;
  if (isRepeated && (converted === "LIST" || logical?.type === "LIST")) {
    // Some writers leave out the level between the list and its elements.
    return { kind: "list", element: first.children.length === 1 ? nodeOf(first.children[0]!) : contentOf(first, false), nullable };
  }
  if (isRepeated && first.children.length === 2 && (converted === "MAP" || converted === "MAP_KEY_VALUE" || logical?.type === "MAP")) {
    const [key, value] = first.children.map(nodeOf);
    if (key!.kind === "leaf") return { kind: "map", key, value: value!, nullable };
  }
  return { kind: "struct", fields: new Map(children.map((child) => [child.element.name, nodeOf(child)])), nullable };
}

function leafOf(element: SchemaElement, nullable: boolean): LeafNode {
  const { converted_type: converted, logical_type: logical, type_length: length } = element;
  if (converted === "DECIMAL" || logical?.type === "DECIMAL") {
    const [precision = 38, scale = 0] = logical?.type === "DECIMAL" ? [logical.precision, logical.scale] : [element.precision, element.scale];
    return { kind: "leaf", type: "decimal", precision, scale, ...(length === undefined ? {} : { length }), nullable };
  }
  const type = leafType(element);
  return { kind: "leaf", type, ...(type === "fixed" ? { length: length! } : {}), nullable };
}

function leafType({ type, converted_type: converted, logical_type: logical, name }: SchemaElement): LeafType {
  switch (type) {
    case "BOOLEAN": return "boolean";
    case "FLOAT": return "float";
    case "DOUBLE": return "double";
    case "INT96": return "timestamp-nanos";
    case "INT32":
      if (converted === "DATE" || logical?.type === "DATE") return "date";
      if (converted === "TIME_MILLIS" || logical?.type === "TIME") return "time-millis";
      return converted === "UINT_32" || (logical?.type === "INTEGER" && !logical.isSigned && logical.bitWidth === 32) ? "uint32" : "int32";
    case "INT64":
      if (logical?.type === "TIMESTAMP") return `timestamp-${unitOf(logical.unit)}`;
      if (logical?.type === "TIME") return logical.unit === "NANOS" ? "time-nanos" : "time-micros";
      if (converted === "TIMESTAMP_MILLIS") return "timestamp-millis";
      if (converted === "TIMESTAMP_MICROS") return "timestamp-micros";
      if (converted === "TIME_MICROS") return "time-micros";
      return converted === "UINT_64" || (logical?.type === "INTEGER" && !logical.isSigned) ? "uint64" : "int64";
    case "BYTE_ARRAY":
      if (converted === "UTF8" || converted === "ENUM" || converted === "JSON" || logical?.type === "STRING" || logical?.type === "ENUM" || logical?.type === "JSON") return "string";
      return "bytes";
    case "FIXED_LEN_BYTE_ARRAY":
      if (logical?.type === "UUID") return "uuid";
      if (logical?.type === "FLOAT16") return "float";
      return converted === "INTERVAL" ? "interval" : "fixed";
    default:
      throw new MillraceError({ code: "FORMAT_SCHEMA_INVALID", message: `column "${name}" has the unknown Parquet type ${String(type)}` });
  }
}

function unitOf(unit: "MILLIS" | "MICROS" | "NANOS"): "millis" | "micros" | "nanos" {
  return unit.toLowerCase() as "millis" | "micros" | "nanos";
}
