import { MillraceError } from "@millrace/core";

/** `OPTION_INVALID` of a sink's option. */
export function optionInvalid(option: string, problem: string, hint: string): MillraceError {
  return new MillraceError({ code: "OPTION_INVALID", message: `${option}: ${problem}`, hint, location: { option } });
}

/** The option, when it is a number of at least `least`. @throws `OPTION_INVALID` */
export function atLeast(option: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return value;
  throw optionInvalid(option, `${value} is not a number of at least ${least}`, `the smallest value is ${least}`);
}
