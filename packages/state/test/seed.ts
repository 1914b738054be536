import type * as fc from "fast-check";

/** Parameters of a property: a printed seed, `MILLRACE_FUZZ_SEED` to repeat one and `MILLRACE_FUZZ_RUNS` to look longer. */
export function fuzz(name: string, runs: number): fc.Parameters<unknown> & { readonly seed: number; readonly numRuns: number } {
  const env = (globalThis as unknown as { process: { env: Record<string, string | undefined> } }).process.env;
  const seed = Number(env["MILLRACE_FUZZ_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`${name}: seed ${seed}`);
  return { seed, numRuns: Number(env["MILLRACE_FUZZ_RUNS"] ?? runs) };
}
