/** Freezes a record with everything in it, so that a later change throws where it happens. Buffers and typed arrays cannot be frozen and are left. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value)) return value;
  Object.freeze(value);
  if (value instanceof Map) {
    for (const [key, held] of value) {
      deepFreeze(key);
      deepFreeze(held);
    }
  } else if (value instanceof Set) for (const held of value) deepFreeze(held);
  for (const name of Object.keys(value)) deepFreeze((value as Record<string, unknown>)[name]);
  return value;
}
