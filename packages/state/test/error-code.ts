import { isMillraceError } from "@millrace/core";

/** For `assert.throws`: an error with this code whose message says all of `parts`. */
export function code(expected: string, ...parts: string[]): (error: unknown) => boolean {
  return (error) => isMillraceError(error) && error.code === expected && parts.every((part) => error.message.includes(part));
}
