import avsc from "avsc";
import type { Type } from "avsc";
import { Types } from "@millrace/core";
import type { TypeInformation } from "@millrace/core";
import { BytesType, DateType, DecimalType, UuidType } from "./avro-types.js";

const scalars: Readonly<Record<string, TypeInformation<any>>> = {
  boolean: Types.boolean, int: Types.number, float: Types.number, double: Types.number, long: Types.number, string: Types.string, enum: Types.string,
};

/** The declared type of a schema's values; `any` where it has none: unions of several types, recursive records, maps. */
export function typeInformationOf(type: Type, above: ReadonlySet<Type> = new Set()): TypeInformation<any> {
  if (above.has(type)) return Types.any;
  if (type instanceof BytesType) return Types.bytes;
  if (type instanceof DecimalType || type instanceof UuidType || type instanceof DateType) return Types.string;
  const within = new Set(above).add(type);
  if (type instanceof avsc.types.RecordType) return Types.object(Object.fromEntries(type.fields.map((field) => [field.name, typeInformationOf(field.type, within)])));
  if (type instanceof avsc.types.ArrayType) return Types.array(typeInformationOf(type.itemsType as Type, within));
  if (type instanceof avsc.types.UnwrappedUnionType) {
    const branches = type.types.filter((branch) => branch.typeName !== "null");
    return branches.length === 1 && type.types.length === 2 ? Types.nullable(typeInformationOf(branches[0]!, within)) : Types.any;
  }
  // Custom longs have a name of their own; whether they are a `bigint` shows in how a zero is read.
  if (type.typeName === "abstract:long") return typeof type.fromBuffer(Buffer.from([0])) === "bigint" ? Types.bigint : Types.number;
  return scalars[type.typeName] ?? Types.any;
}
