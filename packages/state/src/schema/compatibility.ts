import type { TypeSchema } from "@millrace/core";

/** Turns a value written under one schema into one of another. */
export type Migration = (value: unknown) => unknown;

/**
 * Whether values written under `written` can be read under `read`, by Avro's rules: fields may go; fields may come when they are optional
 * (`undefined`) or nullable (`null`); int widens to double and number; a type may become optional or nullable; "any" fits everything.
 *
 * Returns `undefined` when they cannot, `"same"` when values need no change, or the change they need.
 * Source: Apache Avro specification, "Schema Resolution".
 */
export function resolveSchema(written: TypeSchema, read: TypeSchema): Migration | "same" | undefined {
  if (written.kind === "any" || read.kind === "any") return "same";
  if (read.kind === "optional") {
    if (written.kind === "undefined") return "same";
    return guarded(resolveSchema(written.kind === "optional" ? written.of : written, read.of), undefined);
  }
  if (read.kind === "nullable") {
    if (written.kind === "null") return "same";
    return guarded(resolveSchema(written.kind === "nullable" ? written.of : written, read.of), null);
  }
  if (read.kind === "object" && written.kind === "object") return resolveFields(written.fields, read.fields);
  if (read.kind === "tuple" && written.kind === "tuple") return resolveElements(written.elements, read.elements);
  if (read.kind === "map" && written.kind === "map") {
    if (resolveSchema(written.key, read.key) !== "same") return undefined;
    return resolved(resolveSchema(written.value, read.value), (change) => (value) => {
      return new Map(Array.from(value as Map<unknown, unknown>, ([k, v]) => [k, change(v)]));
    });
  }
  if ((read.kind === "array" || read.kind === "set") && written.kind === read.kind) {
    return resolved(resolveSchema(written.element, read.element), (change) => (value) => {
      const elements = Array.from(value as Iterable<unknown>, change);
      return read.kind === "set" ? new Set(elements) : elements;
    });
  }
  if (read.kind === "class" && written.kind === "class") return written.name === read.name ? "same" : undefined;
  return scalarFits(written.kind, read.kind) ? "same" : undefined;
}

const NUMBER_RANK: Readonly<Record<string, number>> = { int: 0, double: 1, number: 1 };

function scalarFits(written: string, read: string): boolean {
  const from = NUMBER_RANK[written];
  const to = NUMBER_RANK[read];
  if (from !== undefined && to !== undefined) return from <= to;
  return written === read && !["optional", "nullable", "array", "set", "map", "tuple", "object", "class"].includes(read);
}

function guarded(inner: Migration | "same" | undefined, empty: undefined | null): Migration | "same" | undefined {
  return resolved(inner, (change) => (value) => (value === empty ? value : change(value)));
}

function resolved(inner: Migration | "same" | undefined, wrap: (change: Migration) => Migration): Migration | "same" | undefined {
  return inner === "same" || inner === undefined ? inner : wrap(inner);
}

function resolveElements(written: readonly TypeSchema[], read: readonly TypeSchema[]): Migration | "same" | undefined {
  if (written.length !== read.length) return undefined;
  const changes = read.map((element, i) => resolveSchema(written[i]!, element));
  if (changes.includes(undefined)) return undefined;
  if (changes.every((change) => change === "same")) return "same";
  return (value) => (value as unknown[]).map((element, i) => apply(changes[i], element));
}

function resolveFields(written: Readonly<Record<string, TypeSchema>>, read: Readonly<Record<string, TypeSchema>>): Migration | "same" | undefined {
  const changes = new Map<string, Migration | "same">();
  const nulls: string[] = [];
  for (const [name, schema] of Object.entries(read)) {
    if (!Object.hasOwn(written, name)) {
      if (schema.kind === "nullable") nulls.push(name);
      else if (schema.kind !== "optional" && schema.kind !== "any" && schema.kind !== "undefined") return undefined;
      continue;
    }
    const change = resolveSchema(written[name]!, schema);
    if (change === undefined) return undefined;
    changes.set(name, change);
  }
  const dropped = Object.keys(written).filter((name) => !Object.hasOwn(read, name));
  if (dropped.length === 0 && nulls.length === 0 && [...changes.values()].every((change) => change === "same")) return "same";
  return (value) => {
    const source = value as Record<string, unknown>;
    const target: Record<string, unknown> = {};
    for (const name of Object.keys(source)) {
      if (!dropped.includes(name)) target[name] = apply(changes.get(name), source[name]);
    }
    for (const name of nulls) target[name] = null;
    return target;
  };
}

function apply(change: Migration | "same" | undefined, value: unknown): unknown {
  return change === undefined || change === "same" ? value : change(value);
}

/** A schema as one readable line, for messages. */
export function describeSchema(schema: TypeSchema): string {
  switch (schema.kind) {
    case "array":
    case "set":
      return `${schema.kind}<${describeSchema(schema.element)}>`;
    case "map":
      return `map<${describeSchema(schema.key)}, ${describeSchema(schema.value)}>`;
    case "tuple":
      return `[${schema.elements.map(describeSchema).join(", ")}]`;
    case "optional":
    case "nullable":
      return `${schema.kind}<${describeSchema(schema.of)}>`;
    case "object":
      return `{ ${Object.entries(schema.fields).map(([name, field]) => `${name}: ${describeSchema(field)}`).join(", ")} }`;
    case "class":
      return `class ${schema.name}`;
    default:
      return schema.kind;
  }
}
