import { duration, type Duration } from "../time/duration.js";
import { didYouMean } from "../errors/nearest.js";
import { MillraceError } from "../errors/millrace-error.js";
import { Secret } from "./secret.js";

/** One configuration key: its type, default and description. The documented table is generated from these. */
export interface ConfigOption<T> {
  readonly key: string;
  readonly defaultValue: T;
  readonly description: string;
  readonly kind: string;
  /** Older names, which are understood as well. */
  readonly deprecatedKeys?: readonly string[];
  /** Parses text (from a file, `-D` or the environment) or a value given in code. @throws a plain string: what was expected. */
  readonly parse: (raw: unknown) => T;
}

type Init<T> = readonly [key: string, defaultValue: T, description: string];

function option<T>(kind: string, parse: (raw: unknown) => T) {
  return (...[key, defaultValue, description]: Init<T>): ConfigOption<T> => ({ key, defaultValue, description, kind, parse });
}

function fail(expected: string, hint?: string): never {
  throw new MillraceError({ code: "CONFIG_BAD_VALUE", message: expected, ...(hint === undefined ? {} : { hint }) });
}

function parseBoolean(raw: unknown): boolean {
  if (raw === true || raw === "true") return true;
  return raw === false || raw === "false" ? false : fail("true or false");
}

function parseInteger(raw: unknown): number {
  const value = typeof raw === "number" ? raw : typeof raw === "string" && /^\s*[+-]?\d+\s*$/.test(raw) ? Number(raw) : Number.NaN;
  return Number.isSafeInteger(value) ? value : fail("an integer");
}

const sizeUnits: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, kb: 1024, kib: 1024, m: 1024 ** 2, mb: 1024 ** 2, mib: 1024 ** 2, g: 1024 ** 3, gb: 1024 ** 3, gib: 1024 ** 3 };

function parseSize(raw: unknown): number {
  if (typeof raw === "number") return Number.isSafeInteger(raw) && raw >= 0 ? raw : fail('a memory size, such as "64 mb"');
  const match = typeof raw === "string" ? /^\s*(\d+)\s*([a-z]*)\s*$/i.exec(raw) : null;
  const unit = match === null ? undefined : sizeUnits[match[2]!.toLowerCase()];
  return unit === undefined ? fail('a memory size, such as "64 mb"') : Number(match![1]) * unit;
}

/** `8081`, or `8081-8090`; the lowest free port of a range is taken. */
function parsePorts(raw: unknown): string {
  const match = /^\s*(\d{1,5})\s*(?:-\s*(\d{1,5})\s*)?$/.exec(typeof raw === "number" ? String(raw) : typeof raw === "string" ? raw : "");
  const from = Number(match?.[1] ?? -1);
  const to = Number(match?.[2] ?? from);
  if (from < 0 || to < from || to > 65_535) return fail('a port, or a range such as "8081-8090"');
  return from === to ? String(from) : `${from}-${to}`;
}

/** The ports of a value that {@link configOption.ports} has parsed, in order. */
export function expandPorts(range: string): number[] {
  const [from = 0, to = from] = range.split("-").map(Number);
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** Makers of options, one per value type. */
export const configOption = {
  string: option<string>("string", (raw) => (typeof raw === "string" ? raw : fail("text"))),
  optionalString: option<string | undefined>("string", (raw) => (typeof raw === "string" ? raw : fail("text"))),
  integer: option<number>("integer", parseInteger),
  double: option<number>("double", (raw) => {
    const value = typeof raw === "number" ? raw : typeof raw === "string" && raw.trim() !== "" ? Number(raw) : Number.NaN;
    return Number.isFinite(value) ? value : fail("a number");
  }),
  boolean: option<boolean>("boolean", parseBoolean),
  /** `undefined` leaves the choice to whoever reads it. */
  optionalBoolean: option<boolean | undefined>("boolean", parseBoolean),
  duration: option<Duration>("duration", (raw) => {
    try {
      return duration(raw as Duration);
    } catch {
      return fail('a duration, such as "10 s"');
    }
  }),
  /** `undefined` switches off. */
  optionalDuration: option<Duration | undefined>("duration", (raw) => {
    try {
      return duration(raw as Duration);
    } catch {
      return fail('a duration, such as "10 s"');
    }
  }),
  ports: option<string>("port or range", parsePorts),
  /** `undefined` switches off. */
  optionalPorts: option<string | undefined>("port or range", parsePorts),
  memorySize: option<number>("memory size", parseSize),
  positiveInteger: option<number>("integer", (raw) => {
    const value = parseInteger(raw);
    return value > 0 ? value : fail("a whole number from 1");
  }),
  /** 0 lets the system choose. */
  port: option<number>("port", (raw) => {
    const value = parseInteger(raw);
    return value >= 0 && value <= 65_535 ? value : fail("a port, 0 to 65535");
  }),
  /** Never printed: its value is a {@link Secret}. */
  secret: option<Secret | undefined>("secret", (raw) => (raw instanceof Secret ? raw : typeof raw === "string" && raw !== "" ? new Secret(raw) : fail("text"))),
  oneOf: <const V extends readonly string[]>(values: V) =>
    option<V[number]>(values.join(" | "), (raw) => {
      const found = typeof raw === "string" ? values.find((v) => v.toLowerCase() === raw.toLowerCase()) : undefined;
      if (found !== undefined) return found;
      const suggestion = typeof raw === "string" ? didYouMean(raw, values) : "";
      return fail(`one of ${values.join(", ")}`, suggestion === "" ? undefined : suggestion);
    }),
} as const;
