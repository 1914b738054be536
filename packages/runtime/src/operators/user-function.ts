import { isFunctionFactory, MillraceError } from "@millrace/core";

/** Tells a class from a plain function. */
export function isClass(value: unknown): value is new () => object {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

/**
 * Makes the instance of a function with methods (ProcessFunction, AsyncFunction, …) for one subtask.
 *
 * `source` is a class, a `functionFactory(…)` or an arrow function without parameters that returns the instance.
 * @param methods what the instance must have at least one of.
 * @throws `FUNCTION_INSTANCE` for an instance, `FUNCTION_INVALID` for anything else that is not such a source.
 */
export function instantiate<F extends object>(source: unknown, operatorName: string, methods: readonly string[]): F {
  if (isFunctionFactory(source)) return checked(source.create(), operatorName, methods) as F;
  if (isClass(source)) return checked(new source(), operatorName, methods) as F;
  if (typeof source === "function") {
    if (source.length === 0) return checked((source as () => unknown)(), operatorName, methods) as F;
    throw invalid(operatorName, "a plain function with parameters", methods);
  }
  if (typeof source === "object" && source !== null) throw functionInstance(source, operatorName);
  throw invalid(operatorName, String(source), methods);
}

/**
 * The plain-function form of a simple transformation: `source` itself, or the bound method of the rich function it makes.
 * `rich` is the object whose life cycle the operator keeps, `undefined` for a plain function.
 * @throws as {@link instantiate}.
 */
export function resolveFunction<Fn extends (...args: any[]) => unknown>(
  source: unknown, operatorName: string, method: string,
): { readonly call: Fn; readonly rich: object | undefined } {
  if (typeof source === "function" && !isClass(source)) {
    refuseAsync(source, operatorName);
    return { call: source as Fn, rich: undefined };
  }
  const rich = instantiate<Record<string, Fn>>(source, operatorName, [method]);
  refuseAsync(rich[method], operatorName);
  return { call: rich[method]!.bind(rich) as Fn, rich };
}

function checked(instance: unknown, operatorName: string, methods: readonly string[]): object {
  if (typeof instance !== "object" || instance === null) throw invalid(operatorName, `a factory that returned ${String(instance)}`, methods);
  const found = methods.filter((method) => typeof (instance as Record<string, unknown>)[method] === "function");
  if (found.length === 0) throw invalid(operatorName, `an object without ${methods.join(" or ")}()`, methods);
  for (const method of found) if (method !== "asyncInvoke") refuseAsync((instance as Record<string, unknown>)[method], operatorName);
  return instance;
}

function functionInstance(instance: object, operatorName: string): MillraceError {
  const name = (instance.constructor as { readonly name?: string } | undefined)?.name;
  const shown = name === undefined || name === "" || name === "Object" ? "MyFunction" : name;
  return new MillraceError({
    code: "FUNCTION_INSTANCE",
    message: `operator "${operatorName}" was given an instance of a function; two subtasks would share it`,
    hint: `give the class (${shown}) or a factory (() => new ${shown}(…))`,
    location: { operator: operatorName },
  });
}

function invalid(operatorName: string, what: string, methods: readonly string[]): MillraceError {
  return new MillraceError({
    code: "FUNCTION_INVALID",
    message: `operator "${operatorName}" was given ${what} as its function`,
    hint: `give a class with ${methods.join(" or ")}(), or a factory () => new MyFunction(…)`,
    location: { operator: operatorName },
  });
}

const asyncPrototype: unknown = Object.getPrototypeOf(async () => {});

/** Functions declared `async` are refused before the first record. */
function refuseAsync(fn: unknown, operatorName: string): void {
  if (typeof fn === "function" && Object.getPrototypeOf(fn) === asyncPrototype) throw returnedPromise(operatorName);
}

export function returnedPromise(operatorName: string): MillraceError {
  return new MillraceError({
    code: "FUNCTION_RETURNED_PROMISE",
    message: `the function of operator "${operatorName}" returned a promise; records are processed one at a time and do not wait for one`,
    hint: "use asyncMap (or AsyncDataStream) for asynchronous calls",
    location: { operator: operatorName },
  });
}

/** Throws `FUNCTION_RETURNED_PROMISE` when `result` is a promise. Callers ask only for results that are not `undefined`, or once per operator. */
export function refusePromise(result: unknown, operatorName: string): void {
  if (typeof result === "object" && result !== null && typeof (result as { then?: unknown }).then === "function") throw returnedPromise(operatorName);
}
