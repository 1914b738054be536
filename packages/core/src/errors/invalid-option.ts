import { MillraceError } from "./millrace-error.js";

/** `OPTION_INVALID`, naming the option. */
export function invalidOption(option: string, message: string, hint?: string): MillraceError {
  return new MillraceError({ code: "OPTION_INVALID", message: `${option}: ${message}`, location: { option }, ...(hint === undefined ? {} : { hint }) });
}

/** The value of an option that may be one of a few. @throws `OPTION_INVALID` */
export function checkedOneOf<V extends string>(option: string, value: V, allowed: readonly V[]): V {
  if (!allowed.includes(value)) throw invalidOption(option, `"${value}" is none of ${allowed.join(", ")}`);
  return value;
}

/** The value of an option that is a whole number from `least` to `most`. @throws `OPTION_INVALID` */
export function checkedBetween(option: string, value: number, least: number, most: number): number {
  if (!(Number.isSafeInteger(value) && value >= least && value <= most)) throw invalidOption(option, `${value} is not between ${least} and ${most}`);
  return value;
}
