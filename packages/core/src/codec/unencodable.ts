import type { MillraceError } from "../errors/millrace-error.js";
import { notEncodable } from "./codec-errors.js";
import { registeredTypeOf } from "./type-registry.js";
import { describeValue, objectKind } from "./value-kinds.js";
import { MAX_DEPTH, typedArrayKind } from "./value-tags.js";

/** Thrown inside the encoders, which keep no paths while they run; the place is then found by {@link explainUnencodable}. */
export const UNENCODABLE: { readonly unencodable: true } = { unencodable: true };

const REGISTER_HINT = "use plain objects, arrays, Map and Set in records, or register the class with registerType(name, class, { encode, decode })";
const identifier = /^[A-Za-z_$][\w$]*$/;

type Found = { readonly path: string; readonly what: string; readonly hint: string };

/** Walks a value that an encoder refused and returns the error that names the first place it cannot carry. */
export function explainUnencodable(value: unknown, path: string = "$"): MillraceError {
  const found = search(value, path, new Set(), 0) ?? {
    path,
    what: `${describeValue(value)} that changes while it is read`,
    hint: "records must be plain data: no getters with effects, no proxies",
  };
  return notEncodable(found.path, found.what, found.hint);
}

function search(value: unknown, path: string, ancestors: Set<object>, depth: number): Found | undefined {
  if (typeof value === "function") return { path, what: "a function", hint: "keep functions out of records; send the data they work on" };
  if (typeof value === "symbol") return { path, what: "a symbol", hint: "use a string instead" };
  if (typeof value !== "object" || value === null) return undefined;
  if (ancestors.has(value)) return { path, what: "a reference back to an object that contains it (a cycle)", hint: "refer to it by an id instead" };
  if (depth >= MAX_DEPTH) return { path, what: `nested more than ${MAX_DEPTH} levels deep`, hint: "flatten the structure, e.g. into an array" };
  ancestors.add(value);
  const found = searchInside(value, path, ancestors, depth + 1);
  ancestors.delete(value);
  return found;
}

function searchInside(value: object, path: string, ancestors: Set<object>, depth: number): Found | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null;
  switch (objectKind(value, prototype)) {
    case "array":
    case "plain":
    case "null-prototype":
      for (const key of Object.keys(value)) {
        const found = search((value as Record<string, unknown>)[key], childPath(value, path, key), ancestors, depth);
        if (found !== undefined) return found;
      }
      return undefined;
    case "other":
      break;
  }
  if (prototype === Date.prototype || prototype === ArrayBuffer.prototype) return undefined;
  if (prototype === Map.prototype) return searchMap(value as Map<unknown, unknown>, path, ancestors, depth);
  if (prototype === Set.prototype) {
    let i = 0;
    for (const element of value as Set<unknown>) {
      const found = search(element, `${path}<element ${i++}>`, ancestors, depth);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const registered = registeredTypeOf(prototype!);
  if (registered !== undefined) return search(registered.codec.encode(value), `${path}<${registered.name}>`, ancestors, depth);
  if (ArrayBuffer.isView(value) && isPlainTypedArray(value)) return undefined;
  return { path, what: describeValue(value), hint: hintFor(value) };
}

function searchMap(map: Map<unknown, unknown>, path: string, ancestors: Set<object>, depth: number): Found | undefined {
  let i = 0;
  for (const [key, element] of map) {
    const label = typeof key === "string" ? JSON.stringify(key) : String(i);
    const found =
      search(key, `${path}<key ${i}>`, ancestors, depth) ?? search(element, `${path}<value of ${label}>`, ancestors, depth);
    if (found !== undefined) return found;
    i++;
  }
  return undefined;
}

function childPath(parent: object, path: string, key: string): string {
  if (Array.isArray(parent)) return `${path}[${key}]`;
  return identifier.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function hintFor(value: object): string {
  if (value instanceof Error) return "keep what matters of the error as data, e.g. its message";
  if (value instanceof Promise) return "await it first; asynchronous lookups belong in AsyncDataStream";
  if (value instanceof DataView) return "use a Uint8Array over the same bytes";
  if (value instanceof RegExp) return "keep its source and flags as strings";
  return REGISTER_HINT;
}

/** True for typed arrays of the standard classes and Node's `Buffer`, which travels as a `Uint8Array`. */
export function isPlainTypedArray(value: object): boolean {
  const kind = typedArrayKind(value);
  if (kind < 0) return false;
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: string } };
  const name = prototype.constructor?.name;
  return name === (value as { [Symbol.toStringTag]?: string })[Symbol.toStringTag] || name === "Buffer";
}
