import { functionFactory, MillraceError, type Collector, type FunctionFactory, type OutputTag, type ProcessContext, type ProcessFunction, type RuntimeContext } from "@millrace/core";
import type { InvalidRecord, StandardSchema, ValidationIssue, ValidationResult } from "./standard-schema.js";

type OnInvalid = "fail" | "skip" | OutputTag<InvalidRecord>;

/** The function behind `stream.validate`. @throws `SCHEMA_INVALID` for something without a Standard Schema validator */
export function validateFactory<T>(schema: StandardSchema<any, T>, onInvalid: OnInvalid): FunctionFactory<ProcessFunction<unknown, T>> {
  if (typeof schema?.["~standard"]?.validate !== "function") {
    throw new MillraceError({
      code: "SCHEMA_INVALID",
      message: "validate() was given something that is not a Standard Schema",
      hint: 'pass a schema of zod, valibot, arktype or another library with the "~standard" interface',
    });
  }
  if (onInvalid !== "fail" && onInvalid !== "skip" && typeof onInvalid?.id !== "string") {
    throw new MillraceError({ code: "SCHEMA_INVALID", message: `"${String(onInvalid)}" does not say what becomes of invalid records`, hint: 'use "fail", "skip" or an OutputTag' });
  }
  return functionFactory(() => new Validate<T>(schema, onInvalid));
}

class Validate<T> implements ProcessFunction<unknown, T> {
  readonly #validate: (value: unknown) => ValidationResult<T> | Promise<ValidationResult<T>>;
  readonly #vendor: string;
  readonly #onInvalid: OnInvalid;
  #skipped: { inc(n?: number): void } | undefined;

  constructor(schema: StandardSchema<any, T>, onInvalid: OnInvalid) {
    const standard = schema["~standard"];
    this.#validate = (value) => standard.validate(value);
    this.#vendor = standard.vendor;
    this.#onInvalid = onInvalid;
  }

  open(context: RuntimeContext): void {
    this.#skipped = context.metrics.counter("numRecordsInvalid");
  }

  processElement(value: unknown, context: ProcessContext, out: Collector<T>): void {
    const result = this.#validate(value);
    if ("then" in result) throw validationIsAsync(this.#vendor);
    if (result.issues === undefined) {
      out.collect(result.value);
      return;
    }
    const issues = result.issues.map((issue) => ({ message: issue.message, path: pathText(issue) }));
    if (this.#onInvalid === "fail") throw invalidRecord(issues);
    this.#skipped?.inc();
    if (this.#onInvalid !== "skip") context.output(this.#onInvalid, { value, issues });
  }
}

function pathText(issue: ValidationIssue): string {
  return (issue.path ?? []).map((segment) => String(typeof segment === "object" ? segment.key : segment)).join(".");
}

function invalidRecord(issues: InvalidRecord["issues"]): MillraceError {
  return new MillraceError({
    code: "RECORD_INVALID",
    message: `a record does not fit its schema: ${issues.map((issue) => (issue.path === "" ? issue.message : `${issue.path}: ${issue.message}`)).join("; ")}`,
    hint: 'fix the input, or pass { invalid: "skip" } or { invalid: someOutputTag } to validate()',
  });
}

function validationIsAsync(vendor: string): MillraceError {
  return new MillraceError({
    code: "VALIDATION_ASYNC",
    message: `the ${vendor} schema answered with a promise`,
    hint: "use a schema without asynchronous checks, and asyncMap for what needs them",
  });
}
