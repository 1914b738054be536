/** How the codecs see an object: by its exact prototype, so that a subclass is never taken for its base. */
export type ObjectKind = "plain" | "null-prototype" | "array" | "other";

const objectPrototype: object = Object.prototype;
const arrayPrototype: object = Array.prototype;

/** Tells plain objects and arrays, those of other realms (`node:vm`) included, from everything else. */
export function objectKind(value: object, prototype: object | null): ObjectKind {
  if (prototype === objectPrototype) return "plain";
  if (prototype === arrayPrototype) return Array.isArray(value) ? "array" : "other";
  if (prototype === null) return "null-prototype";
  // The Array.prototype of any realm is itself an array; that of a subclass is not.
  if (Array.isArray(value)) return Array.isArray(prototype) ? "array" : "other";
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf") && Object.hasOwn(prototype, "__proto__")
    ? "plain"
    : "other";
}

/** A short name for what a value is, for messages: `a function`, `an instance of Foo`. */
export function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "number") return String(value);
  if (typeof value === "undefined") return "undefined";
  if (typeof value !== "object") return `a ${typeof value}`;
  if (Array.isArray(value) && Object.getPrototypeOf(value) === arrayPrototype) return "an array";
  const constructor = (value as { constructor?: unknown }).constructor;
  const name = typeof constructor === "function" ? constructor.name : "";
  return name === "" ? "an instance of an unnamed class" : name === "Object" ? "an object" : `an instance of ${name}`;
}
