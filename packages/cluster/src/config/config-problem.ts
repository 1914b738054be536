import { MillraceError, type ErrorLocation } from "@millrace/core";

/** Where a configured value was written: a file and line, an environment variable, or `-D`. */
export interface ConfigOrigin {
  /** As it is named in messages: `conf/config.yaml:12`, `the environment variable MILLRACE_CFG_REST_PORT`, `-D rest.port`. */
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
}

/** One thing that is wrong with a configuration. */
export interface ConfigProblem {
  readonly code: "CONFIG_FILE_INVALID" | "CONFIG_DUPLICATE_KEY" | "CONFIG_UNKNOWN_KEY" | "CONFIG_BAD_VALUE";
  readonly message: string;
  readonly origin: ConfigOrigin;
  readonly hint?: string;
  readonly key?: string;
}

/** One error for everything that is wrong: the problem itself when there is one, else `CONFIG_INVALID` with a line for each. */
export function configError(problems: readonly ConfigProblem[]): MillraceError {
  const [first] = problems;
  if (first !== undefined && problems.length === 1) {
    return new MillraceError({
      code: first.code, message: `${first.origin.text}: ${first.message}`, ...(first.hint === undefined ? {} : { hint: first.hint }), location: locationOf(first),
    });
  }
  const lines = problems.map((problem) => `  ${problem.origin.text}: ${problem.message}${problem.hint === undefined ? "" : ` (${problem.hint})`}`);
  return new MillraceError({
    code: "CONFIG_INVALID",
    message: `${problems.length} problems in the configuration:\n${lines.join("\n")}`,
    hint: "docs/configuration.md lists all keys and their types",
    ...(first === undefined ? {} : { location: locationOf(first) }),
  });
}

function locationOf({ origin, key }: ConfigProblem): ErrorLocation {
  return {
    ...(origin.file === undefined ? {} : { file: origin.file }),
    ...(origin.line === undefined ? {} : { line: origin.line }),
    ...(key === undefined ? {} : { option: key }),
  };
}
