import type { Collector } from "@millrace/core";
import { refusePromise } from "./user-function.js";

/** Emits what a `flatMap` returned, if that is an iterable object. @throws `FUNCTION_RETURNED_PROMISE` */
export function emitReturned(result: unknown, out: Collector<unknown>, operatorName: string): void {
  if (typeof result !== "object" || result === null) return;
  if (typeof (result as Partial<Iterable<unknown>>)[Symbol.iterator] === "function") {
    for (const value of result as Iterable<unknown>) out.collect(value);
  } else refusePromise(result, operatorName);
}
