import { LineCounter, isMap, isScalar, parseDocument, type Node, type Pair } from "yaml";
import type { ConfigOrigin, ConfigProblem } from "./config-problem.js";

/** One `key: value` of a configuration, before it is checked. */
export interface ConfigEntry {
  readonly key: string;
  /** The value's text as it was written, without quotes. */
  readonly value: string;
  readonly origin: ConfigOrigin;
}

/** What a YAML text says, flattened to dotted keys, and what is wrong with it. */
export interface YamlEntries {
  readonly entries: readonly ConfigEntry[];
  readonly problems: readonly ConfigProblem[];
}

/**
 * Reads Flink's `config.yaml`: nested maps and dotted keys, mixed at will, mean the same.
 *
 * Values are taken as the text that stands there, so that a cluster called `1e3` stays `1e3`; the option's type decides what it is. A key
 * given twice, in whichever spelling, is a problem, as are lists, aliases and keys without a value. `name` is how the text is called in messages.
 */
export function readYamlEntries(text: string, name: string): YamlEntries {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, uniqueKeys: false, prettyErrors: false, schema: "failsafe", version: "1.2" });
  const at = (offset: number | undefined): ConfigOrigin => {
    const line = lineCounter.linePos(offset ?? 0).line;
    return { text: `${name}:${line}`, file: name, line };
  };
  const problems: ConfigProblem[] = [];
  for (const error of document.errors) problems.push({ code: "CONFIG_FILE_INVALID", message: `not YAML: ${error.message}`, origin: at(error.pos[0]) });
  if (problems.length > 0) return { entries: [], problems };

  const entries: ConfigEntry[] = [];
  const lines = new Map<string, ConfigOrigin>();
  const refuse = (node: Node | null | undefined, message: string, key: string): void => {
    problems.push({ code: "CONFIG_FILE_INVALID", message, origin: at(node?.range?.[0]), key });
  };

  const visitValue = (key: string, keyNode: Node, value: unknown): void => {
    if (isMap(value)) return visitMap(value.items as Pair[], `${key}.`);
    const origin = at(keyNode.range?.[0]);
    if (value !== null && value !== undefined && !isScalar(value)) return refuse(keyNode, `"${key}" is a list or an alias; write one value`, key);
    const scalar = value ?? undefined;
    const written = scalar === undefined ? "" : String(scalar.value ?? "");
    const isPlain = scalar?.type === "PLAIN" || scalar === undefined;
    if (isPlain && /^(|~|null)$/i.test(written)) return refuse(keyNode, `"${key}" has no value`, key);
    const earlier = lines.get(key);
    if (earlier !== undefined) {
      problems.push({ code: "CONFIG_DUPLICATE_KEY", message: `"${key}" is set twice, the first time at ${earlier.text}`, origin, key, hint: "keep one of them" });
      return;
    }
    lines.set(key, origin);
    entries.push({ key, value: written, origin });
  };
  const visitMap = (items: readonly Pair[], prefix: string): void => {
    for (const { key, value } of items) {
      if (!isScalar(key) || typeof key.value !== "string" || key.value === "") refuse(key as Node, "a key must be text", prefix.slice(0, -1));
      else visitValue(`${prefix}${key.value}`, key, value);
    }
  };

  const root = document.contents;
  if (isMap(root)) visitMap(root.items as Pair[], "");
  else if (root !== null && !(isScalar(root) && (root.value === "" || root.value === null))) refuse(root, "keys and values are expected (`key: value`)", "");
  return { entries, problems };
}
