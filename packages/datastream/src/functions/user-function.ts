import { isFunctionFactory, MillraceError, type FunctionClass, type ProcessFunctionSource } from "@millrace/core";

/**
 * Turns the type of a function that returns a promise into a readable compile error, and lets every other type through.
 *
 * Intersected with a function parameter: `fn: ((value: T) => R) & NotAsync<R>`.
 */
export type NotAsync<R> = 0 extends 1 & R
  ? unknown
  : [R] extends [never]
    ? unknown
    : [R] extends [PromiseLike<unknown>]
      ? "This function must not be async: use asyncMap for calls that return promises."
      : unknown;

/** Whether a value is a class, as opposed to a function that is called. */
export function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

/** Whether a function was given as a class or factory, and so has a life cycle and a RuntimeContext. */
export function isRich(value: unknown): boolean {
  return isClass(value) || isFunctionFactory(value);
}

/** A new instance of a function given as a class, a `functionFactory(…)` or an arrow function that makes one. */
export function instantiate<F>(source: ProcessFunctionSource<F>): F {
  if (isFunctionFactory(source)) return source.create() as F;
  return isClass(source) ? new (source as FunctionClass<F>)() : (source as () => F)();
}

/**
 * Checks what was given to `map`, `filter`, `flatMap` or `reduce`: a plain function, a class, or `functionFactory(…)`.
 * @throws `FUNCTION_MISSING`, `FUNCTION_INSTANCE`, `FUNCTION_ASYNC`
 */
export function checkFunction(value: unknown, method: string): void {
  if (isFunctionFactory(value)) return;
  if (typeof value !== "function") throw notAFunction(value, method);
  checkNotAsync(value, method);
}

/** As {@link checkFunction}, for functions with methods: a class, `functionFactory(…)`, or an arrow function without parameters that makes one. */
export function checkFunctionSource(value: unknown, method: string): void {
  checkFunction(value, method);
  if (typeof value === "function" && !isClass(value) && value.length > 0) {
    throw new MillraceError({
      code: "FUNCTION_INVALID",
      message: `${method} was given a function with ${value.length} parameter(s) where it takes a class, or a function without parameters that makes an instance`,
      hint: `write ${method}(MyFunction) or ${method}(() => new MyFunction(…))`,
    });
  }
}

/** As {@link checkFunction}, for a function that is only ever called: no class and no factory. */
export function checkPlainFunction(value: unknown, method: string): void {
  if (typeof value !== "function" || isClass(value)) throw notAFunction(value, method);
  checkNotAsync(value, method);
}

function checkNotAsync(value: object, method: string): void {
  const tag: string = Object.prototype.toString.call(value);
  if (tag !== "[object AsyncFunction]" && tag !== "[object AsyncGeneratorFunction]") return;
  throw new MillraceError({
    code: "FUNCTION_ASYNC",
    message: `${method} was given an async function`,
    hint: "use asyncMap (or AsyncDataStream) for calls that return promises",
  });
}

function notAFunction(value: unknown, method: string): MillraceError {
  if (typeof value === "object" && value !== null) {
    const name = value.constructor === Object ? "an object" : `an instance of ${value.constructor?.name ?? "a class"}`;
    return new MillraceError({
      code: "FUNCTION_INSTANCE",
      message: `${method} was given ${name}; two subtasks would share it`,
      hint: `give the class or a factory: ${method}(MyFunction) or ${method}(functionFactory(() => new MyFunction(…)))`,
    });
  }
  return new MillraceError({
    code: "FUNCTION_MISSING",
    message: `${method} was given ${value === undefined || value === null ? String(value) : `a ${typeof value === "function" ? "class" : typeof value}`} instead of a function`,
    hint: "pass the function itself; a name that is not initialised yet is undefined",
  });
}
