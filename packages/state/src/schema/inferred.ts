import { registeredTypeOf, type TypeSchema } from "@millrace/core";
import { resolveSchema, type Migration } from "./compatibility.js";

/**
 * Reads values that were written without a declared type as `read`: the type of each is inferred, and must fit like a declared one.
 * Calls `refuse` with the inferred type of the first value that does not.
 */
export function resolveInferred(read: TypeSchema, refuse: (inferred: TypeSchema) => Error): Migration {
  return (value) => {
    const inferred = inferSchema(value, read);
    const change = resolveSchema(inferred, read);
    if (change === undefined) throw refuse(inferred);
    return change === "same" ? value : change(value);
  };
}

const ANY: TypeSchema = { kind: "any" };

/** The type of a value; `like` tells tuples from arrays, and where to look closer. What is mixed or unknown is "any". */
export function inferSchema(value: unknown, like: TypeSchema): TypeSchema {
  if (like.kind === "optional" || like.kind === "nullable") return value === undefined || value === null ? { kind: value === null ? "null" : "undefined" } : inferSchema(value, like.of);
  if (like.kind === "any") return ANY;
  switch (typeof value) {
    case "string":
    case "boolean":
    case "bigint":
    case "undefined":
      return { kind: typeof value as "string" };
    case "number":
      return { kind: Number.isInteger(value) && !Object.is(value, -0) ? "int" : "double" };
    case "object":
      return value === null ? { kind: "null" } : inferObject(value, like);
    default:
      return ANY;
  }
}

function inferObject(value: object, like: TypeSchema): TypeSchema {
  if (value instanceof Date) return { kind: "date" };
  if (value instanceof Uint8Array) return { kind: "bytes" };
  if (Array.isArray(value) && like.kind === "tuple") return { kind: "tuple", elements: value.map((element, i) => inferSchema(element, like.elements[i] ?? ANY)) };
  if (Array.isArray(value)) return { kind: "array", element: common(value, like.kind === "array" ? like.element : undefined) };
  if (value instanceof Set) return { kind: "set", element: common(value, like.kind === "set" ? like.element : undefined) };
  if (value instanceof Map) {
    const [key, held] = like.kind === "map" ? [like.key, like.value] : [undefined, undefined];
    return { kind: "map", key: common(value.keys(), key), value: common(value.values(), held) };
  }
  const registered = registeredTypeOf(Object.getPrototypeOf(value) as object);
  if (registered !== undefined) return { kind: "class", name: registered.name };
  const fields = like.kind === "object" ? like.fields : {};
  return { kind: "object", fields: Object.fromEntries(Object.entries(value).map(([name, field]) => [name, inferSchema(field, fields[name] ?? UNKNOWN)])) };
}

/** Nothing is asked of it: the type is inferred for the message alone. */
const UNKNOWN: TypeSchema = { kind: "undefined" };

/** The first element type that does not fit `like`; if all do, `like` itself. */
function common(elements: Iterable<unknown>, like: TypeSchema | undefined): TypeSchema {
  let first: TypeSchema | undefined;
  for (const element of elements) {
    const inferred = inferSchema(element, like ?? UNKNOWN);
    first ??= inferred;
    if (like !== undefined && resolveSchema(inferred, like) === undefined) return inferred;
  }
  return like ?? first ?? ANY;
}
