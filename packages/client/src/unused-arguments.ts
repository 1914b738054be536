import { nearest } from "@millrace/core";
import type { JobArguments } from "@millrace/graph";

/**
 * One line for every argument of a job that nothing asked for while it was planned: a typo, most likely.
 * @param readers what the program read arguments with; those that read something else than `args` do not count
 */
export function unusedArguments(args: readonly string[], readers: readonly JobArguments[]): string[] {
  const own = readers.filter((reader) => reader.args.length === args.length && reader.args.every((arg, at) => arg === args[at]));
  if (own.length === 0) return [];
  const requested = new Set(own.flatMap((reader) => [...reader.requested()]));
  const unused = [...own[0]!.unrequested()].filter((name) => own.every((reader) => reader.unrequested().has(name)));
  return unused.map((name) => {
    const suggestion = nearest(name, [...requested].filter((other) => !own[0]!.args.some((arg) => isNamed(arg, other))));
    const given = own[0]!.args.find((arg) => isNamed(arg, name))?.replace(/=.*$/s, "") ?? `--${name}`;
    return `unused job argument "${given}" ${suggestion === undefined ? "(nothing asked for it before execute())" : `(did you mean "--${suggestion}"?)`}`;
  });
}

function isNamed(arg: string, name: string): boolean {
  return arg.startsWith("-") && arg.replace(/^--?/, "").replace(/=.*$/s, "") === name;
}
