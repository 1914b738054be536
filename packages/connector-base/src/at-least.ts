import { invalidOption } from "@millrace/core";

/** The option, when it is a number of at least `least`. @throws `OPTION_INVALID` */
export function atLeast(option: string, value: number, least: number): number {
  if (Number.isFinite(value) && value >= least) return value;
  throw invalidOption(option, `${value} is not a number of at least ${least}`, `the smallest value is ${least}`);
}
