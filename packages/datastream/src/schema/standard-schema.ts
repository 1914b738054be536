/**
 * The part of the Standard Schema interface that is used here: what zod, valibot, arktype and others offer under `~standard`.
 * Source: standardschema.dev, version 1.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => ValidationResult<Output> | Promise<ValidationResult<Output>>;
    /** Only for the compiler. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a validator answers: the value, or why it refuses. Standard Schema: Result. */
export type ValidationResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly ValidationIssue[] };

/** One reason why a validator refuses a value. Standard Schema: Issue. */
export interface ValidationIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** The type that a schema's accepted records have. */
export type InferOutput<S extends StandardSchema> = NonNullable<S["~standard"]["types"]>["output"];

/** A record that a schema refused. */
export interface InvalidRecord {
  readonly value: unknown;
  /** Why, with the place as text: `orders.0.amount`. */
  readonly issues: readonly { readonly message: string; readonly path: string }[];
}
