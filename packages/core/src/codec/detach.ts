import { registeredTypeOf } from "./type-registry.js";

/** V8 makes a substring of more than this many characters a view on its parent; shorter ones are copied. */
const LONGEST_COPIED = 12;

/**
 * An equal string that keeps no other string alive.
 *
 * A string decoded from a batch may be a view on the text of its whole batch: harmless in flight, a leak once it is kept.
 */
export function flattenString(text: string): string {
  // Joining makes a rope, slicing flattens it into a string of its own.
  return text.length <= LONGEST_COPIED ? text : (" " + text).slice(1);
}

/**
 * A value that is safe to keep: `value` itself when no long string hides in it, else a copy with such strings flattened.
 *
 * Only what holds such a string is copied: plain objects, arrays, `Map`s and `Set`s; instances of classes stay as they are.
 */
export function detachValue<T>(value: T): T {
  return detach(value) as T;
}

function detach(value: unknown): unknown {
  if (typeof value === "string") return flattenString(value);
  if (typeof value !== "object" || value === null) return value;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Object.prototype || prototype === null) return detachFields(value as Record<string, unknown>, prototype);
  if (prototype === Array.prototype) return detachElements(value as unknown[]);
  if (registeredTypeOf(prototype!) !== undefined) return value;
  if (prototype === Map.prototype) return detachMap(value as Map<unknown, unknown>);
  if (prototype === Set.prototype) return detachSet(value as Set<unknown>);
  return value;
}

function detachFields(value: Record<string, unknown>, prototype: object | null): unknown {
  let copy: Record<string, unknown> | undefined;
  for (const key in value) {
    const field = value[key];
    if (typeof field === "number" || typeof field === "boolean") continue;
    const detached = detach(field);
    // A flattened string equals its source, so lengths decide, not identity.
    if (detached === field && !(typeof field === "string" && field.length > LONGEST_COPIED)) continue;
    copy ??= prototype === null ? Object.assign(Object.create(null), value) : { ...value };
    copy![key] = detached;
  }
  return copy ?? value;
}

function detachElements(value: unknown[]): unknown {
  let copy: unknown[] | undefined;
  for (let i = 0; i < value.length; i++) {
    const element = value[i];
    if (typeof element === "number") continue;
    const detached = detach(element);
    if (detached === element && !(typeof element === "string" && element.length > LONGEST_COPIED)) continue;
    copy ??= value.slice();
    copy[i] = detached;
  }
  return copy ?? value;
}

function detachMap(value: Map<unknown, unknown>): unknown {
  const copy = new Map<unknown, unknown>();
  for (const [key, element] of value) copy.set(detach(key), detach(element));
  return copy;
}

function detachSet(value: Set<unknown>): unknown {
  const copy = new Set<unknown>();
  for (const element of value) copy.add(detach(element));
  return copy;
}
