import { didYouMean, type ConfigOption } from "@millrace/core";
import type { ConfigProblem } from "./config-problem.js";
import type { ConfigEntry, YamlEntries } from "./yaml-entries.js";

/** Holds many keys at once, in the form of the file; Flink's images know it as `FLINK_PROPERTIES`. */
export const PROPERTIES_VARIABLE = "MILLRACE_PROPERTIES";
/** Begins the variable of a single key. */
export const VARIABLE_PREFIX = "MILLRACE_CFG_";

/** The environment variable of a key: capitals, and `_` for `.` and `-`. `rest.bind-address` is `MILLRACE_CFG_REST_BIND_ADDRESS`. */
export function variableOf(key: string): string {
  return VARIABLE_PREFIX + key.toUpperCase().replace(/[.-]/g, "_");
}

/** What the environment says. Variables of single keys win over those in `MILLRACE_PROPERTIES`; they come later in the result. */
export async function readEnvironmentEntries(variables: Readonly<Record<string, string | undefined>>, known: readonly ConfigOption<unknown>[]): Promise<YamlEntries> {
  const text = variables[PROPERTIES_VARIABLE] ?? "";
  // The parser is loaded only where there is something to read.
  const properties = text === "" ? { entries: [], problems: [] } : (await import("./yaml-entries.js")).readYamlEntries(text, PROPERTIES_VARIABLE);
  const keys = new Map(known.map((option) => [variableOf(option.key), option.key]));
  const entries: ConfigEntry[] = [...properties.entries];
  const problems: ConfigProblem[] = [...properties.problems];
  for (const [name, value] of Object.entries(variables).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!name.startsWith(VARIABLE_PREFIX) || value === undefined) continue;
    const key = keys.get(name);
    const origin = { text: `the environment variable ${name}` };
    if (key === undefined) {
      const hint = didYouMean(name, keys.keys());
      problems.push({ code: "CONFIG_UNKNOWN_KEY", message: "no configuration key has this variable", origin, ...(hint === "" ? {} : { hint }) });
    } else entries.push({ key, value, origin });
  }
  return { entries, problems };
}
