import type { SchemaElement } from "hyparquet";
import type { LeafNode, ParquetNode } from "./parquet-node.js";

/** The elements of a file's schema, each group before its parts, as the file has them. */
export function schemaElements(columns: ReadonlyMap<string, ParquetNode>): SchemaElement[] {
  return [{ name: "schema", num_children: columns.size }, ...[...columns].flatMap(([name, node]) => elementsOf(name, node))];
}

function elementsOf(name: string, node: ParquetNode): SchemaElement[] {
  const repetition_type = node.nullable ? "OPTIONAL" : "REQUIRED";
  switch (node.kind) {
    case "leaf": return [{ name, repetition_type, ...leafElement(node) }];
    case "list": return [
      { name, repetition_type, num_children: 1, converted_type: "LIST", logical_type: { type: "LIST" } },
      { name: "list", repetition_type: "REPEATED", num_children: 1 }, ...elementsOf("element", node.element),
    ];
    case "map": return [
      { name, repetition_type, num_children: 1, converted_type: "MAP", logical_type: { type: "MAP" } },
      { name: "key_value", repetition_type: "REPEATED", num_children: 2 }, ...elementsOf("key", { ...node.key, nullable: false }), ...elementsOf("value", node.value),
    ];
    case "struct": return [{ name, repetition_type, num_children: node.fields.size }, ...[...node.fields].flatMap(([field, part]) => elementsOf(field, part))];
  }
}

type LeafElement = Pick<SchemaElement, "type" | "type_length" | "converted_type" | "logical_type" | "scale" | "precision">;

function leafElement(node: LeafNode): LeafElement {
  switch (node.type) {
    case "boolean": return { type: "BOOLEAN" };
    case "int32": return { type: "INT32" };
    case "uint32": return { type: "INT32", converted_type: "UINT_32" };
    case "int64": case "int64-number": return { type: "INT64" };
    // Without the logical type, whose width the library writes as an integer of the wrong size.
    case "uint64": return { type: "INT64", converted_type: "UINT_64" };
    case "float": return { type: "FLOAT" };
    case "double": return { type: "DOUBLE" };
    case "string": return { type: "BYTE_ARRAY", converted_type: "UTF8", logical_type: { type: "STRING" } };
    case "bytes": return { type: "BYTE_ARRAY" };
    case "fixed": return { type: "FIXED_LEN_BYTE_ARRAY", type_length: node.length! };
    case "uuid": return { type: "FIXED_LEN_BYTE_ARRAY", type_length: 16, logical_type: { type: "UUID" } };
    case "interval": return { type: "FIXED_LEN_BYTE_ARRAY", type_length: 12, converted_type: "INTERVAL" };
    case "date": return { type: "INT32", converted_type: "DATE", logical_type: { type: "DATE" } };
    case "time-millis": return { type: "INT32", converted_type: "TIME_MILLIS", logical_type: { type: "TIME", isAdjustedToUTC: true, unit: "MILLIS" } };
    case "time-micros": return { type: "INT64", converted_type: "TIME_MICROS", logical_type: { type: "TIME", isAdjustedToUTC: true, unit: "MICROS" } };
    case "time-nanos": return { type: "INT64", logical_type: { type: "TIME", isAdjustedToUTC: true, unit: "NANOS" } };
    case "timestamp-millis": return { type: "INT64", converted_type: "TIMESTAMP_MILLIS", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MILLIS" } };
    case "timestamp-micros": return { type: "INT64", converted_type: "TIMESTAMP_MICROS", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "MICROS" } };
    case "timestamp-nanos": return { type: "INT64", logical_type: { type: "TIMESTAMP", isAdjustedToUTC: true, unit: "NANOS" } };
    case "decimal": return decimalElement(node.precision!, node.scale!);
  }
}

function decimalElement(precision: number, scale: number): LeafElement {
  const decimal = { converted_type: "DECIMAL", logical_type: { type: "DECIMAL", precision, scale }, precision, scale } as const;
  if (precision <= 9) return { type: "INT32", ...decimal };
  if (precision <= 18) return { type: "INT64", ...decimal };
  let length = 9;
  while (2n ** BigInt(length * 8 - 1) - 1n < 10n ** BigInt(precision) - 1n) length++;
  return { type: "FIXED_LEN_BYTE_ARRAY", type_length: length, ...decimal };
}
