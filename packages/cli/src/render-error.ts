import { isMillraceError, placeOf, stackFrames, userFrames } from "@millrace/core";
import { paint } from "./terminal-style.js";

/**
 * An error as the user reads it: code and message, operator and subtask, the user's own file and line (stacks are mapped to the sources),
 * hint, and the chain of causes. Frames of the engine are left out unless `verbose`.
 */
export function renderError(error: unknown, verbose: boolean): string {
  const lines: string[] = [];
  let current: unknown = error;
  let shown: string | undefined;
  for (let depth = 0; current !== undefined && current !== null && depth < 8; depth++) {
    const { head, details } = describe(current, verbose);
    // Wrappers repeat the message of what they wrap.
    if (head !== shown) {
      lines.push(depth === 0 ? `${paint("red", "error")} ${head}` : `  ${paint("dim", "caused by")} ${head}`);
      lines.push(...details.map((line) => `  ${line}`));
    }
    shown = head;
    current = (current as { cause?: unknown }).cause;
  }
  return lines.join("\n");
}

function describe(error: unknown, verbose: boolean): { head: string; details: string[] } {
  if (typeof error !== "object" || error === null) return { head: `a value that is not an Error was thrown: ${String(error)}`, details: [] };
  const { name, message, stack } = error as Error;
  const details: string[] = [];
  if (isMillraceError(error)) {
    const { operator, subtask, file, line, column, option } = error.location;
    if (operator !== undefined) details.push(`operator: ${operator}${subtask === undefined ? "" : `, subtask ${subtask}`}`);
    // An option may have been set elsewhere than where it is read.
    const place = file === undefined && option === undefined ? placeOf(userFrames(stack)[0]) : undefined;
    if (place !== undefined && !message.includes(place)) details.push(`at ${place}`);
    if (file !== undefined && !message.includes(file)) details.push(`file: ${[file, line, column].filter((part) => part !== undefined).join(":")}`);
    if (option !== undefined && !message.includes(option)) details.push(`option: ${option}`);
    if (error.hint !== undefined && error.hint !== "") details.push(`${paint("cyan", "hint:")} ${error.hint}`);
  }
  const shown = verbose ? stackFrames(stack) : isMillraceError(error) ? [] : userFrames(stack).slice(0, 5);
  details.push(...shown.map((frame) => paint("dim", frame)));
  const head = isMillraceError(error) ? `${paint("bold", error.code)}: ${message}` : `${name ?? "Error"}: ${message}`;
  return { head, details };
}
