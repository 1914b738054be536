/** What a program read its arguments with, as far as it has got: which names were given, and which it asked for. */
export interface JobArguments {
  /** As given, `--name` and values alike. */
  readonly args: readonly string[];
  /** Names that were given and not asked for yet. */
  unrequested(): ReadonlySet<string>;
  /** Names that were asked for, given or not. */
  requested(): ReadonlySet<string>;
}
