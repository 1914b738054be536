/** What the command was called with. Help is printed, and what is wrong is told; both end the process. */
export function readArguments<T>(parse: (args: readonly string[]) => T | undefined, usage: string): T {
  try {
    const parsed = parse(process.argv.slice(2));
    if (parsed !== undefined) return parsed;
    console.log(usage);
    process.exit(0);
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${usage}`);
    process.exit(2);
  }
}

/** @throws with a sentence for the user */
export function numberAtLeast(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= least) || !Number.isFinite(value)) throw new Error(`--${name}: "${text}" is no number of at least ${least}`);
  return value;
}
