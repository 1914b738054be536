import { MillraceError, isMillraceError } from "@millrace/core";
import type { KeySelector } from "@millrace/core";

const MAX_TEXT = 120;

/**
 * What to throw when a record has no key on an edge: names the operator the edge leads to, the key and the record. The selector is called again for its
 * key; when it throws, its own error is the cause.
 */
export function keyFailure(thrown: unknown, value: unknown, selector: KeySelector<unknown, unknown>, target: string): MillraceError {
  const location = { operator: `input of ${target}` };
  if (isMillraceError(thrown) && thrown.code === "KEY_INVALID") {
    return new MillraceError({
      code: thrown.code, recovery: thrown.recovery, location, ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      message: `${thrown.message.replace(/^a key/, `the key of the input of "${target}"`)}: it is ${keyText(selector, value)} for the record ${shown(value)}`,
    });
  }
  if (isMillraceError(thrown)) return thrown;
  return new MillraceError({
    code: "USER_FUNCTION_FAILED", recovery: "restart", cause: thrown, location,
    message: `the key selector of the input of "${target}" failed for the record ${shown(value)}: ${String((thrown as Error | undefined)?.message ?? thrown)}`,
  });
}

function keyText(selector: KeySelector<unknown, unknown>, value: unknown): string {
  try {
    return shown(selector(value));
  } catch {
    return "another one each time";
  }
}

/** A value in one short line. */
function shown(value: unknown): string {
  const text = jsonOf(value) ?? String(value);
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function jsonOf(value: unknown): string | undefined {
  if (typeof value === "number" || typeof value === "bigint") return undefined;
  try {
    return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? `${part}n` : part));
  } catch {
    return undefined;
  }
}
