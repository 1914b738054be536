/** A record as one line of text: strings as they are, everything else close to how it is written in JavaScript. */
export function formatRecord(value: unknown): string {
  return typeof value === "string" ? value : format(value, 0);
}

const MAX_DEPTH = 8;

function format(value: unknown, depth: number): string {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
  if (depth >= MAX_DEPTH) return "…";
  const inner = (part: unknown): string => format(part, depth + 1);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (Array.isArray(value)) return `[${value.map(inner).join(", ")}]`;
  if (value instanceof Map) return `Map(${value.size}) {${[...value].map(([key, item]) => `${inner(key)} => ${inner(item)}`).join(", ")}}`;
  if (value instanceof Set) return `Set(${value.size}) {${[...value].map(inner).join(", ")}}`;
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) return `${value.constructor.name}(${(value as Uint8Array).length}) [${[...(value as Uint8Array)].slice(0, 32).join(", ")}]`;
  const fields = Object.entries(value).map(([name, field]) => `${/^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(name) ? name : JSON.stringify(name)}: ${inner(field)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
