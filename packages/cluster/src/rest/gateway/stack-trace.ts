import type { SerializedError } from "@millrace/core";

/** An error with its causes as text, in the form every reader of logs knows. */
export function stackTrace(error: SerializedError): string {
  const lines: string[] = [];
  for (let current: SerializedError | undefined = error, first = true; current !== undefined; current = current.cause, first = false) {
    const own: string = current.stack ?? `${current.name}: ${current.message}`;
    lines.push(first ? own : `Caused by: ${own}`);
  }
  return lines.join("\n");
}

/** What a failure is called: the name of its innermost cause, which is the user's. */
export function rootName(error: SerializedError): string {
  let current = error;
  while (current.cause !== undefined) current = current.cause;
  return current.code === undefined ? current.name : `${current.name}[${current.code}]`;
}
