/** The part of JSON Schema that the API needs. */
export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly enum?: readonly string[];
  readonly anyOf?: readonly JsonSchema[];
  readonly description?: string;
  readonly format?: string;
}

declare const type: unique symbol;
declare const absent: unique symbol;

/** A JSON Schema together with the TypeScript type of what it describes, so that a handler's answer and the published API cannot part. */
export interface Schema<T> {
  readonly json: JsonSchema;
  readonly [type]?: T;
}

/** A property that may be absent. */
export interface OptionalSchema<T> extends Schema<T> {
  readonly optional: true;
  readonly [absent]?: true;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;
type Fields = Readonly<Record<string, Schema<any>>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: F[K] extends OptionalSchema<any> ? K : never }[keyof F];
type ObjectOf<F extends Fields> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> } & { readonly [K in OptionalKeys<F>]?: Infer<F[K]> };

const of = <T>(json: JsonSchema): Schema<T> => ({ json });

export const text: Schema<string> = of({ type: "string" });
export const number: Schema<number> = of({ type: "number" });
export const boolean: Schema<boolean> = of({ type: "boolean" });
export const anything: Schema<unknown> = of({});
export const nothing: Schema<Readonly<Record<string, never>>> = of({ type: "object", additionalProperties: false });

export function oneOf<const V extends readonly string[]>(...values: V): Schema<V[number]> {
  return of({ type: "string", enum: values });
}

export function array<T>(items: Schema<T>): Schema<readonly T[]> {
  return of({ type: "array", items: items.json });
}

/** An object whose keys are ids or names. */
export function record<T>(values: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return of({ type: "object", additionalProperties: values.json });
}

export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return of({ anyOf: [schema.json, { type: "null" }] });
}

export function either<A, B>(a: Schema<A>, b: Schema<B>): Schema<A | B> {
  return of({ anyOf: [a.json, b.json] });
}

export function optional<T>(schema: Schema<T>): OptionalSchema<T> {
  return { json: schema.json, optional: true };
}

export function object<F extends Fields>(fields: F): Schema<ObjectOf<F>> & { readonly fields: F } {
  const entries = Object.entries(fields);
  return {
    fields,
    json: {
      type: "object", additionalProperties: false,
      properties: Object.fromEntries(entries.map(([key, schema]) => [key, schema.json])),
      required: entries.filter(([, schema]) => !("optional" in schema)).map(([key]) => key),
    },
  };
}

/** Where a value does not fit its schema, as lines `path: what`; empty when it fits. */
export function misfits(schema: JsonSchema, value: unknown, path = "$"): string[] {
  if (schema.anyOf !== undefined) {
    const tries = schema.anyOf.map((option) => misfits(option, value, path));
    return tries.some((found) => found.length === 0) ? [] : tries[0]!;
  }
  if (schema.type === undefined) return [];
  const actual = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  if (actual !== schema.type) return [`${path}: ${actual} instead of ${String(schema.type)}`];
  if (schema.enum !== undefined && !schema.enum.includes(value as string)) return [`${path}: "${String(value)}" is none of ${schema.enum.join(", ")}`];
  if (schema.items !== undefined) return (value as unknown[]).flatMap((item, index) => misfits(schema.items!, item, `${path}[${index}]`));
  if (actual !== "object") return [];
  const found: string[] = [];
  for (const key of schema.required ?? []) if (!(key in (value as object))) found.push(`${path}.${key}: missing`);
  for (const [key, child] of Object.entries(value as object)) {
    const known = schema.properties?.[key];
    if (known !== undefined) found.push(...misfits(known, child, `${path}.${key}`));
    else if (typeof schema.additionalProperties === "object") found.push(...misfits(schema.additionalProperties, child, `${path}.${key}`));
    else if (schema.additionalProperties === false) found.push(`${path}.${key}: unknown`);
  }
  return found;
}
