import protobuf from "protobufjs";
import type { Enum, Field, Type } from "protobufjs";

/** What a field holds once repetition is taken away. */
export type FieldKind = "message" | "enum" | "long" | "int" | "float" | "boolean" | "string" | "bytes";

/** A field, as far as reading and writing must know it. */
export interface MessageField {
  readonly name: string;
  readonly kind: FieldKind;
  readonly type: string;
  readonly isRequired: boolean;
  readonly isRepeated: boolean;
  readonly isMap: boolean;
  readonly keyType: string | undefined;
  /** Whether a message says that the field is missing, rather than that it has its default. */
  readonly hasPresence: boolean;
  readonly message: Type | undefined;
  readonly enumeration: Enum | undefined;
  readonly defaultValue: () => unknown;
}

const cache = new WeakMap<Type, readonly MessageField[]>();

export function fieldsOf(type: Type): readonly MessageField[] {
  let fields = cache.get(type);
  if (fields === undefined) cache.set(type, (fields = type.fieldsArray.map(fieldOf)));
  return fields;
}

function fieldOf(field: Field): MessageField {
  const { resolvedType } = field;
  const message = resolvedType instanceof protobuf.Type ? resolvedType : undefined;
  const enumeration = resolvedType instanceof protobuf.Enum ? resolvedType : undefined;
  const kind = message !== undefined ? "message" : enumeration !== undefined ? "enum" : kindOf(field.type);
  return {
    name: field.name, kind, type: field.type, isRequired: field.required, isRepeated: field.repeated, isMap: field.map,
    keyType: field instanceof protobuf.MapField ? field.keyType : undefined,
    hasPresence: message !== undefined || Boolean((field as Field & { readonly hasPresence: unknown }).hasPresence), message, enumeration,
    defaultValue: () => defaultOf(field, kind, enumeration),
  };
}

function kindOf(type: string): FieldKind {
  if (type.endsWith("64")) return "long";
  if (type === "bool") return "boolean";
  if (type === "string" || type === "bytes") return type;
  return type === "float" || type === "double" ? "float" : "int";
}

function defaultOf(field: Field, kind: FieldKind, enumeration: Enum | undefined): unknown {
  if (kind === "long") return 0n;
  if (kind === "bytes") return new Uint8Array(0);
  const value: unknown = field.typeDefault;
  return kind === "enum" && typeof value === "number" ? enumeration!.valuesById[value] : value;
}
