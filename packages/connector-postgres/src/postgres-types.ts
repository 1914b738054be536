import type { JdbcKind, JdbcType } from "@millrace/connector-jdbc";

/** A row of `pg_type`, as far as it matters here. */
export interface TypeRow {
  readonly oid: number;
  /** As `format_type` has it: what a cast takes. */
  readonly name: string;
  /** `b` base, `d` domain, `e` enum, … */
  readonly typtype: string;
  /** Of true arrays; else 0. */
  readonly element: number;
  /** Of domains. */
  readonly base: number;
  readonly baseModifier: number;
}

const KINDS: Readonly<Record<number, readonly [JdbcKind, string, number?]>> = {
  16: ["boolean", "boolean"], 17: ["bytes", "bytea"], 18: ["string", '"char"'], 19: ["string", "name"], 20: ["integer", "bigint", 64], 21: ["integer", "smallint", 16],
  23: ["integer", "integer", 32], 25: ["string", "text"], 26: ["integer", "oid", 32], 114: ["json", "json"], 700: ["float", "real", 32], 701: ["float", "double precision", 64],
  1042: ["string", "bpchar"], 1043: ["string", "character varying"], 1082: ["date", "date"], 1083: ["time", "time without time zone"], 1114: ["timestamp", "timestamp without time zone"],
  1184: ["timestamptz", "timestamp with time zone"], 1186: ["interval", "interval"], 1266: ["time", "time with time zone"], 1700: ["decimal", "numeric"], 2950: ["uuid", "uuid"], 3802: ["json", "jsonb"],
};

const BUILT_IN: ReadonlySet<string> = new Set(Object.values(KINDS).map(([, name]) => name));

/** Whether a type, by its name, is one that every database has and whose arrays have a comma between elements. */
export function isBuiltInType(name: string): boolean {
  return BUILT_IN.has(name);
}

/** Whether a type can be told without asking the database. */
export function isKnownType(oid: number): boolean {
  return KINDS[oid] !== undefined;
}

/** A type by its number and modifier. @param rows of `pg_type`, with all types this one is made of */
export function typeOf(oid: number, modifier: number, rows: ReadonlyMap<number, TypeRow>): JdbcType {
  const known = KINDS[oid];
  if (known !== undefined) {
    const [kind, name, bits] = known;
    const scale = kind === "decimal" ? scaleOf(modifier) : undefined;
    const hasFraction = kind === "time" || kind === "timestamp" || kind === "timestamptz";
    return {
      kind, name, ...(bits === undefined ? {} : { bits }), ...(oid === 26 ? { unsigned: true } : {}), ...(scale === undefined ? {} : { scale }),
      ...(hasFraction ? { fractionDigits: modifier < 0 ? 6 : modifier } : {}),
    };
  }
  const row = rows.get(oid);
  if (row === undefined) return { kind: "other", name: `type ${oid}` };
  if (row.typtype === "d") return { ...typeOf(row.base, row.baseModifier, rows), name: row.name };
  if (row.element !== 0) return { kind: "array", name: row.name, element: typeOf(row.element, modifier, rows) };
  return { kind: row.typtype === "e" ? "string" : "other", name: row.name };
}

/** Collations that every database has and in which no two texts are equal: default, C, POSIX. */
const DETERMINISTIC: ReadonlySet<number> = new Set([100, 950, 951]);

/** Whether a column's values are texts that are stored as they are, and equal only themselves: `varchar(3)` loses spaces at the end. */
export function isExactText(oid: number, modifier: number, collation: number): boolean {
  return (oid === 25 || (oid === 1043 && modifier < 0)) && DETERMINISTIC.has(collation);
}

/** Digits after the point; `undefined` where none are declared, or fewer than none. */
function scaleOf(modifier: number): number | undefined {
  if (modifier < 0) return undefined;
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;
  return scale < 0 ? undefined : scale;
}
