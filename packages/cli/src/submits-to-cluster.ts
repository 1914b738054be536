/** Options of `run` before the job that are followed by their value. */
const WITH_VALUE = ["-p", "--parallelism", "-D", "--define", "-s", "--from-savepoint", "-c", "--claim-mode"];

/** Whether arguments are those of a `run` that only submits its job: `-m` stands before the job. What is not known for sure does not. */
export function submitsToCluster([command, ...args]: readonly string[]): boolean {
  if (command !== "run") return false;
  let submits = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (!arg.startsWith("-")) return submits;
    if (arg === "--inline") return false;
    if (arg === "-m" || arg === "--jobmanager" || WITH_VALUE.includes(arg)) i++;
    submits ||= /^(-m|--jobmanager(=|$))/.test(arg);
  }
  return false;
}
