/** What the system should do about an error: try the call again, restart the job from its last checkpoint, or fail it for good. */
export type Recovery = "retry" | "restart" | "fail";

/** Where an error happened, as far as it is known. Every field that is set is named in the rendered message. */
export interface ErrorLocation {
  readonly operator?: string;
  readonly operatorId?: string;
  /** Zero-based subtask index. */
  readonly subtask?: number;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly option?: string;
}

/** What a {@link MillraceError} is made of. */
export interface MillraceErrorInit {
  /** Stable, documented code in SCREAMING_SNAKE_CASE, e.g. `CONFIG_UNKNOWN_KEY`. */
  readonly code: string;
  readonly message: string;
  /** What the user can do about it, one sentence. */
  readonly hint?: string;
  /** Defaults to `"fail"`. */
  readonly recovery?: Recovery;
  readonly cause?: unknown;
  readonly location?: ErrorLocation;
}

const brand: unique symbol = Symbol.for("millrace.error") as never;

/**
 * The one error type of Millrace: code, message, hint, recovery and cause.
 *
 * Recognise it with {@link isMillraceError}, never with `instanceof`, which fails between isolates and bundles.
 */
export class MillraceError extends Error {
  readonly [brand] = true;
  readonly code: string;
  readonly hint: string | undefined;
  readonly recovery: Recovery;
  readonly location: ErrorLocation;

  constructor(init: MillraceErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = "MillraceError";
    this.code = init.code;
    this.hint = init.hint;
    this.recovery = init.recovery ?? "fail";
    this.location = init.location ?? {};
  }
}

/** Tells whether a value is a {@link MillraceError}, from whichever isolate or copy of the library it comes. */
export function isMillraceError(value: unknown): value is MillraceError {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[brand] === true;
}

/** The wire form of an error: plain JSON, with the cause chain kept. */
export interface SerializedError {
  readonly name: string;
  readonly code?: string;
  readonly message: string;
  readonly hint?: string;
  readonly recovery?: Recovery;
  readonly location?: ErrorLocation;
  readonly stack?: string;
  readonly cause?: SerializedError;
}

const MAX_CAUSES = 8;

/** Turns anything that was thrown into its wire form. Never throws; at most 8 causes are kept. */
export function serializeError(thrown: unknown, depth = 0): SerializedError {
  if (typeof thrown !== "object" || thrown === null) {
    return { name: "Error", message: `a value that is not an Error was thrown: ${String(thrown)}` };
  }
  const error = thrown as Partial<MillraceError> & Error;
  const cause = error.cause === undefined || depth >= MAX_CAUSES ? undefined : serializeError(error.cause, depth + 1);
  return {
    name: String(error.name ?? "Error"),
    message: String(error.message ?? ""),
    ...(typeof error.stack === "string" ? { stack: error.stack } : {}),
    ...(isMillraceError(thrown)
      ? { code: thrown.code, recovery: thrown.recovery, location: thrown.location, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }) }
      : {}),
    ...(cause === undefined ? {} : { cause }),
  };
}

/** Rebuilds an error from its wire form; one that carried a code comes back as a {@link MillraceError}. */
export function deserializeError(wire: SerializedError): Error {
  const cause = wire.cause === undefined ? undefined : deserializeError(wire.cause);
  const error =
    wire.code === undefined
      ? new Error(wire.message, cause === undefined ? undefined : { cause })
      : new MillraceError({
          code: wire.code,
          message: wire.message,
          ...(wire.hint === undefined ? {} : { hint: wire.hint }),
          ...(wire.recovery === undefined ? {} : { recovery: wire.recovery }),
          ...(wire.location === undefined ? {} : { location: wire.location }),
          ...(cause === undefined ? {} : { cause }),
        });
  error.name = wire.name;
  if (wire.stack !== undefined) error.stack = wire.stack;
  return error;
}
