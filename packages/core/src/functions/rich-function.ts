import type { RuntimeContext } from "./runtime-context.js";

/** Life cycle of a user function given as a class or factory: `open` before the first record, `close` at the end, also after a failure. */
export interface RichFunction {
  /** May be asynchronous; no record arrives before it resolved. State descriptors are registered here. */
  open?(context: RuntimeContext): void | Promise<void>;
  /** Called once, also after a failure (then errors are only logged). */
  close?(): void | Promise<void>;
}

const factoryBrand: unique symbol = Symbol.for("millrace.functionFactory") as never;

/** A factory of rich functions, told apart from a plain function by its brand. */
export interface FunctionFactory<F> {
  readonly [factoryBrand]: true;
  create(): F;
}

/** Wraps `() => new MyFunction(args)`, so that each subtask makes an instance of its own. */
export function functionFactory<F>(create: () => F): FunctionFactory<F> {
  return { [factoryBrand]: true, create };
}

export function isFunctionFactory(value: unknown): value is FunctionFactory<unknown> {
  return typeof value === "object" && value !== null && (value as Record<symbol, unknown>)[factoryBrand] === true;
}

/** A class whose instances are `F` and need no constructor arguments. */
export type FunctionClass<F> = new () => F;
/** How a rich function is given: as a class or as a factory, never as an instance, so that two subtasks never share one. */
export type RichFunctionSource<F> = FunctionClass<F> | FunctionFactory<F>;
/** How a function with methods (ProcessFunction, …) is given. An arrow function without parameters counts as a factory. */
export type ProcessFunctionSource<F> = FunctionClass<F> | FunctionFactory<F> | (() => F);
