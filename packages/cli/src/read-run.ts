import { flinkOptions, jobOptions, runOptions } from "./run-options.js";

/** What can be said of a `run` before the command is loaded. */
export interface EarlyRun {
  /** The job's module as it was named. */
  readonly job: string;
  /** `-m` stands before it: it is submitted to a cluster. */
  readonly submits: boolean;
  /** `-D` */
  readonly definitions: Readonly<Record<string, string>>;
}

/** Options of `run` that are followed by their value. */
const withValue: ReadonlySet<string> = new Set(
  [...jobOptions, ...runOptions].filter(({ flags }) => flags.includes("<")).flatMap(({ flags }) => flags.replace(/ <.*/, "").split(", ")));
/** Those that are not. */
const switches: ReadonlySet<string> = new Set([...jobOptions, ...runOptions].filter(({ flags }) => !flags.includes("<")).flatMap(({ flags }) => flags.split(", ")));

/**
 * Reads the arguments of a `run` whose job does not share this thread. `undefined`: they are those of something else, or not known for sure, which the
 * command itself will find out.
 */
export function readRun([command, ...args]: readonly string[]): EarlyRun | undefined {
  if (command !== "run") return undefined;
  let submits = false;
  const definitions: Record<string, string> = {};
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith("-")) return isInline(definitions) ? undefined : { job: arg, submits, definitions };
    const [name, attached] = split(flinkOptions[arg] ?? arg);
    if (switches.has(name) && attached === undefined && name !== "--inline") continue;
    const value = withValue.has(name) ? (attached ?? args[++i]) : undefined;
    if (value === undefined || name === "-t" || name === "--target") return undefined;
    submits ||= name === "-m" || name === "--jobmanager";
    const at = value.indexOf("=");
    if (name === "-D" || name === "--define") definitions[value.slice(0, at).trim()] = value.slice(at + 1);
  }
  return undefined;
}

function isInline({ "slot.isolation": isolation }: Readonly<Record<string, string>>): boolean {
  return isolation !== undefined && isolation !== "thread" && isolation !== "process";
}

/** An option's name, and its value where that is part of the same argument. */
function split(arg: string): readonly [name: string, value: string | undefined] {
  const [, name, value] = (arg.startsWith("--") ? /^(--[^=]+)=(.*)$/s : /^(-[a-zA-Z])(.+)$/s).exec(arg) ?? [];
  return name === undefined ? [arg, undefined] : [name, value];
}
