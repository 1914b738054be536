import { Configuration, didYouMean, isMillraceError, MillraceError, processOptions, type ConfigOption, type Env } from "@millrace/core";
import { configError, type ConfigOrigin, type ConfigProblem } from "./config-problem.js";
import { readEnvironmentEntries } from "./environment-entries.js";
import type { ConfigEntry, YamlEntries } from "./yaml-entries.js";

/** The name of the file in the configuration directory. */
export const CONFIG_FILE = "config.yaml";
/** Names the configuration directory when `--configDir` does not. */
export const CONFIG_DIR_VARIABLE = "MILLRACE_CONF_DIR";

export interface ConfigurationSources {
  /** `--configDir`; wins over `MILLRACE_CONF_DIR`. With neither there is no file. */
  readonly configDir?: string;
  /** The process's environment variables. */
  readonly variables?: Readonly<Record<string, string | undefined>>;
  /** `-D key=value`. */
  readonly definitions?: Readonly<Record<string, string>>;
  /** Options of plug-ins, besides those of the engine and the cluster. */
  readonly additionalOptions?: readonly ConfigOption<any>[];
}

export interface LoadedConfiguration {
  readonly configuration: Configuration;
  /** For each key that is set, where the value that won was written. */
  readonly origins: ReadonlyMap<string, ConfigOrigin>;
  /** The file that was read. */
  readonly file: string | undefined;
}

/**
 * The configuration of a process: `config.yaml`, then environment variables, then `-D`, the later over the earlier; checked as a whole.
 *
 * Everything that is wrong is told in one error, each problem with its file and line, key and the nearest known key; values of secrets are
 * never part of it.
 * @throws `CONFIG_FILE_NOT_FOUND`, `CONFIG_FILE_INVALID`, `CONFIG_DUPLICATE_KEY`, `CONFIG_UNKNOWN_KEY`, `CONFIG_BAD_VALUE`, or
 * `CONFIG_INVALID` when there is more than one problem.
 */
export async function loadConfiguration(fs: Env["fs"], sources: ConfigurationSources): Promise<LoadedConfiguration> {
  const known = [...processOptions, ...(sources.additionalOptions ?? [])];
  const file = configFile(fs, sources);
  const fromFile = file === undefined ? { entries: [], problems: [] } : await readYaml(fs, file);
  const fromEnvironment = await readEnvironmentEntries(sources.variables ?? {}, known);
  const fromArguments: ConfigEntry[] = Object.entries(sources.definitions ?? {}).map(([key, value]) => ({ key, value, origin: { text: `-D ${key}` } }));

  const problems: ConfigProblem[] = [...fromFile.problems, ...fromEnvironment.problems];
  const byKey = new Map(known.map((option) => [option.key, option]));
  const values: Record<string, unknown> = {};
  const origins = new Map<string, ConfigOrigin>();
  for (const entry of [...fromFile.entries, ...fromEnvironment.entries, ...fromArguments]) {
    const option = byKey.get(entry.key);
    // Every value is checked, those that a stronger one replaces as well.
    const problem = option === undefined ? unknownKey(entry, byKey.keys()) : badValue(option, entry);
    if (problem !== undefined) problems.push(problem);
    values[entry.key] = entry.value;
    origins.set(entry.key, entry.origin);
  }
  if (problems.length > 0) throw configError(problems);
  return { configuration: Configuration.of(values, known), origins, file };
}

/** The parser is loaded only where there is a file. */
async function readYaml(fs: Env["fs"], file: string): Promise<YamlEntries> {
  const { readYamlEntries } = await import("./yaml-entries.js");
  return readYamlEntries(await readText(fs, file), file);
}

function configFile(fs: Env["fs"], { configDir, variables }: ConfigurationSources): string | undefined {
  const directory = configDir ?? variables?.[CONFIG_DIR_VARIABLE];
  return directory === undefined || directory === "" ? undefined : `${fs.resolve(directory)}/${CONFIG_FILE}`;
}

async function readText(fs: Env["fs"], file: string): Promise<string> {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(await fs.readFile(file));
  } catch (cause) {
    if (isMillraceError(cause) && cause.code !== "FILE_NOT_FOUND") throw cause;
    if (!isMillraceError(cause)) throw configError([{ code: "CONFIG_FILE_INVALID", message: "not UTF-8 text", origin: { text: file, file } }]);
    throw new MillraceError({
      code: "CONFIG_FILE_NOT_FOUND",
      message: `there is no ${file}`,
      hint: `--configDir and ${CONFIG_DIR_VARIABLE} name the directory that holds ${CONFIG_FILE}`,
      location: { file },
      cause,
    });
  }
}

function unknownKey({ key, origin }: ConfigEntry, known: Iterable<string>): ConfigProblem {
  const hint = didYouMean(key, known);
  return { code: "CONFIG_UNKNOWN_KEY", message: `unknown configuration key "${key}"`, origin, key, hint: hint === "" ? "see docs/configuration.md for all keys" : hint };
}

function badValue(option: ConfigOption<unknown>, { key, value, origin }: ConfigEntry): ConfigProblem | undefined {
  try {
    Configuration.of({ [key]: value }, [option]);
    return undefined;
  } catch (error) {
    const { message, hint } = error as MillraceError;
    return { code: "CONFIG_BAD_VALUE", message, origin, key, ...(hint === undefined ? {} : { hint }) };
  }
}
