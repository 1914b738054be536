import { flinkOptions, jobOptions, runOptions } from "./run-options.js";

/** Options of `run` that are followed by their value. */
const withValue: ReadonlySet<string> = new Set(
  [...jobOptions, ...runOptions].filter(({ flags }) => flags.includes("<")).flatMap(({ flags }) => flags.replace(/ <.*/, "").split(", ")));

/** Whether arguments are those of a `run` that only submits its job: `-m` stands before the job. What is not known for sure does not. */
export function submitsToCluster([command, ...args]: readonly string[]): boolean {
  if (command !== "run") return false;
  let submits = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith("-")) return submits;
    if (arg === "--inline") return false;
    if (withValue.has(flinkOptions[arg] ?? arg)) i++;
    submits ||= /^(-m|--jobmanager(=|$))/.test(arg);
  }
  return false;
}
