/**
 * A declared type: what the codecs need to know to encode a value exactly, and to check it against a snapshot's schema.
 *
 * Optional nearly everywhere: without one, shapes are observed at run time and anything the exchange codec can carry is allowed.
 * Make them with {@link Types}. The structure is plain JSON, so that it can be stored beside the state it describes.
 */
export interface TypeInformation<T = unknown> {
  readonly schema: TypeSchema;
  /** Only for the compiler. */
  readonly type?: (value: T) => T;
}

/** The structure of a type as data: what is stored beside a snapshot and compared when it is restored. */
export type TypeSchema =
  | { readonly kind: "any" | "number" | "int" | "double" | "string" | "boolean" | "bigint" | "date" | "bytes" | "null" | "undefined" }
  | { readonly kind: "array" | "set"; readonly element: TypeSchema }
  | { readonly kind: "map"; readonly key: TypeSchema; readonly value: TypeSchema }
  | { readonly kind: "tuple"; readonly elements: readonly TypeSchema[] }
  | { readonly kind: "optional"; readonly of: TypeSchema }
  | { readonly kind: "nullable"; readonly of: TypeSchema }
  | { readonly kind: "object"; readonly fields: Readonly<Record<string, TypeSchema>> }
  | { readonly kind: "class"; readonly name: string };

type Of<X> = X extends TypeInformation<infer T> ? T : never;

const scalar = <T>(kind: "any" | "number" | "int" | "double" | "string" | "boolean" | "bigint" | "date" | "bytes"): TypeInformation<T> => ({
  schema: { kind },
});

/** Declared types, composed: `Types.object({ id: Types.string, amount: Types.double })`. */
export const Types = {
  any: scalar<any>("any") as TypeInformation<any>,
  number: scalar<number>("number") as TypeInformation<number>,
  int: scalar<number>("int") as TypeInformation<number>,
  double: scalar<number>("double") as TypeInformation<number>,
  string: scalar<string>("string") as TypeInformation<string>,
  boolean: scalar<boolean>("boolean") as TypeInformation<boolean>,
  bigint: scalar<bigint>("bigint") as TypeInformation<bigint>,
  date: scalar<Date>("date") as TypeInformation<Date>,
  bytes: scalar<Uint8Array>("bytes") as TypeInformation<Uint8Array>,
  array: <T>(element: TypeInformation<T>): TypeInformation<T[]> => ({ schema: { kind: "array", element: element.schema } }),
  set: <T>(element: TypeInformation<T>): TypeInformation<Set<T>> => ({ schema: { kind: "set", element: element.schema } }),
  map: <K, V>(key: TypeInformation<K>, value: TypeInformation<V>): TypeInformation<Map<K, V>> => ({
    schema: { kind: "map", key: key.schema, value: value.schema },
  }),
  tuple: <E extends readonly TypeInformation<any>[]>(...elements: E): TypeInformation<{ -readonly [I in keyof E]: Of<E[I]> }> => ({
    schema: { kind: "tuple", elements: elements.map((e) => e.schema) },
  }),
  optional: <T>(of: TypeInformation<T>): TypeInformation<T | undefined> => ({ schema: { kind: "optional", of: of.schema } }),
  nullable: <T>(of: TypeInformation<T>): TypeInformation<T | null> => ({ schema: { kind: "nullable", of: of.schema } }),
  object: <F extends Readonly<Record<string, TypeInformation<any>>>>(fields: F): TypeInformation<{ -readonly [P in keyof F]: Of<F[P]> }> => ({
    schema: { kind: "object", fields: Object.fromEntries(Object.entries(fields).map(([name, type]) => [name, type.schema])) },
  }),
} as const;
