/** The part of the Standard Schema interface (version 1) used here: zod, valibot, arktype and others implement it. */
export interface StandardSchema<Out = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Out> | Promise<StandardResult<Out>>;
    readonly types?: { readonly input: unknown; readonly output: Out } | undefined;
  };
}
/** What a validator answers: the value, or why it refuses. */
export type StandardResult<Out> = { readonly value: Out; readonly issues?: undefined } | { readonly issues: readonly StandardIssue[] };
/** One reason why a validator refuses a value. Standard Schema: Issue. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Why a record is not valid: a message that names the field, and the first field of its path. */
export class Invalid {
  readonly message: string;
  readonly field: string | undefined;

  constructor(issues: readonly StandardIssue[]) {
    this.message = issues.map((issue) => (issue.path?.length ? `${pathOf(issue)}: ${issue.message}` : issue.message)).join("; ");
    const first = issues[0]?.path?.[0];
    this.field = first === undefined ? undefined : keyOf(first);
  }
}

/** Validates synchronously: the record the validator made of `value`, or why there is none. Asynchronous validators are refused with a message. */
export function validate<Out>(schema: StandardSchema<Out>, value: unknown): Out | Invalid {
  const result = schema["~standard"].validate(value);
  if (result instanceof Promise) {
    result.catch(() => undefined);
    return new Invalid([{ message: "the validator is asynchronous; only synchronous ones can be used in a source (validate later with asyncMap)" }]);
  }
  return result.issues === undefined ? result.value : new Invalid(result.issues);
}

function pathOf(issue: StandardIssue): string {
  return (issue.path ?? []).map(keyOf).join(".");
}

function keyOf(segment: PropertyKey | { readonly key: PropertyKey }): string {
  return String(typeof segment === "object" ? segment.key : segment);
}
