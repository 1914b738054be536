import { didYouMean, duration, MillraceError, type Duration, type DurationLike } from "@millrace/core";
import { installedExecutor } from "@millrace/graph";

/**
 * Arguments of a job: text by name, read with a type. Flink: ParameterTool.
 *
 * `required` and the typed getters name the parameter in their errors: `PARAMETER_MISSING`, `PARAMETER_INVALID`.
 */
export class ParameterTool {
  readonly #values: ReadonlyMap<string, string>;
  readonly #requested: Set<string>;

  private constructor(values: ReadonlyMap<string, string>, requested: Set<string> = new Set()) {
    this.#values = values;
    this.#requested = requested;
  }

  /** Reads `--name value`, `--name=value`, `-name value` and `--flag`. Of a repeated name the last wins. @throws `ARGUMENTS_INVALID` */
  static fromArgs(args: readonly string[]): ParameterTool {
    const tool = new ParameterTool(new Map([...parseArguments(args)].map(([name, values]) => [name, values.at(-1)!])));
    installedExecutor()?.onArguments?.({ args, unrequested: () => tool.getUnrequestedParameters(), requested: () => tool.#requested });
    return tool;
  }
  static fromMap(values: Readonly<Record<string, string>>): ParameterTool {
    return new ParameterTool(new Map(Object.entries(values).map(([name, value]) => [name, String(value)])));
  }

  has(name: string): boolean {
    this.#requested.add(name);
    return this.#values.has(name);
  }
  get(name: string): string | undefined;
  get(name: string, defaultValue: string): string;
  get(name: string, defaultValue?: string): string | undefined {
    this.#requested.add(name);
    return this.#values.get(name) ?? defaultValue;
  }
  /** @throws `PARAMETER_MISSING`, with the nearest name that was given */
  required(name: string): string {
    this.#requested.add(name);
    return this.#values.get(name) ?? missing(name, this.#values.keys());
  }
  /** Without a default the parameter is required. */
  getInt(name: string, defaultValue?: number): number {
    return this.#parsed(name, defaultValue, "an integer", parseInteger);
  }
  getNumber(name: string, defaultValue?: number): number {
    return this.#parsed(name, defaultValue, "a number", parseNumber);
  }
  /** A flag without a value is true. */
  getBoolean(name: string, defaultValue?: boolean): boolean {
    return this.#parsed(name, defaultValue, "true or false", parseBoolean);
  }
  getDuration(name: string, defaultValue?: DurationLike): Duration {
    return this.#parsed(name, defaultValue === undefined ? undefined : duration(defaultValue), 'a duration, such as "10 s"', parseDuration);
  }
  /** Names that were given and that nothing has asked for. Flink: getUnrequestedParameters. */
  getUnrequestedParameters(): Set<string> {
    return new Set([...this.#values.keys()].filter((name) => !this.#requested.has(name)));
  }
  /** All of them; they count as asked for. */
  toMap(): Record<string, string> {
    for (const name of this.#values.keys()) this.#requested.add(name);
    return Object.fromEntries(this.#values);
  }
  /** All of `other` over this. What is asked of the result is asked of both. */
  mergeWith(other: ParameterTool): ParameterTool {
    return new ParameterTool(new Map([...this.#values, ...other.#values]), new SharedNames([this.#requested, other.#requested]));
  }

  #parsed<V>(name: string, defaultValue: V | undefined, expected: string, parse: (text: string) => V | undefined): V {
    this.#requested.add(name);
    if (!this.#values.has(name) && defaultValue !== undefined) return defaultValue;
    const text = this.required(name);
    return parse(text) ?? invalid(name, text, expected);
  }
}

/** As {@link ParameterTool}, keeping every value of a repeated name. Flink: MultipleParameterTool. */
export class MultipleParameterTool {
  readonly #values: ReadonlyMap<string, readonly string[]>;
  readonly #requested: Set<string>;

  private constructor(values: ReadonlyMap<string, readonly string[]>, requested: Set<string> = new Set()) {
    this.#values = values;
    this.#requested = requested;
  }

  static fromArgs(args: readonly string[]): MultipleParameterTool {
    const tool = new MultipleParameterTool(parseArguments(args));
    installedExecutor()?.onArguments?.({ args, unrequested: () => tool.getUnrequestedParameters(), requested: () => tool.#requested });
    return tool;
  }
  static fromMultiMap(values: Readonly<Record<string, readonly string[]>>): MultipleParameterTool {
    return new MultipleParameterTool(new Map(Object.entries(values)));
  }

  has(name: string): boolean {
    this.#requested.add(name);
    return this.#values.has(name);
  }
  /** The last value. */
  get(name: string): string | undefined {
    this.#requested.add(name);
    return this.#values.get(name)?.at(-1);
  }
  /** All values in order; none when the name was not given. */
  getMultiParameter(name: string): readonly string[] {
    this.#requested.add(name);
    return this.#values.get(name) ?? [];
  }
  /** @throws `PARAMETER_MISSING` */
  getMultiParameterRequired(name: string): readonly string[] {
    this.#requested.add(name);
    return this.#values.get(name) ?? missing(name, this.#values.keys());
  }
  /** Names that were given and that nothing has asked for. */
  getUnrequestedParameters(): Set<string> {
    return new Set([...this.#values.keys()].filter((name) => !this.#requested.has(name)));
  }
  /** All of them; they count as asked for. */
  toMultiMap(): Record<string, readonly string[]> {
    for (const name of this.#values.keys()) this.#requested.add(name);
    return Object.fromEntries(this.#values);
  }
  mergeWith(other: MultipleParameterTool): MultipleParameterTool {
    const merged = new Map(this.#values);
    for (const [name, values] of other.#values) merged.set(name, [...(merged.get(name) ?? []), ...values]);
    return new MultipleParameterTool(merged, new SharedNames([this.#requested, other.#requested]));
  }
}

/** Names that were asked of a merged tool: what it came from is told, too. */
class SharedNames extends Set<string> {
  readonly #origins: readonly Set<string>[];

  constructor(origins: readonly Set<string>[]) {
    super();
    this.#origins = origins;
    for (const names of origins) for (const name of names) super.add(name);
  }

  override add(name: string): this {
    for (const names of this.#origins) names.add(name);
    return super.add(name);
  }
}

function parseArguments(args: readonly string[]): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (let i = 0; i < args.length; i++) {
    const match = /^--?([^=]+)(?:=([^]*))?$/.exec(args[i]!);
    if (match === null || isNumber(args[i]!)) {
      throw new MillraceError({ code: "ARGUMENTS_INVALID", message: `"${args[i]}" stands where a parameter name is expected`, hint: "write --name value or --name=value; quote values with spaces" });
    }
    const next = args[i + 1];
    let value = match[2];
    if (value === undefined) {
      const isFlag = next === undefined || (next.startsWith("-") && next !== "-" && !isNumber(next));
      value = isFlag ? NO_VALUE : next;
      if (!isFlag) i++;
    }
    values.set(match[1]!, [...(values.get(match[1]!) ?? []), value]);
  }
  return values;
}

/** What Flink stores for `--flag`. */
const NO_VALUE = "__NO_VALUE_KEY";

function isNumber(text: string): boolean {
  return text.trim() !== "" && Number.isFinite(Number(text));
}
function parseInteger(text: string): number | undefined {
  return /^\s*[+-]?\d+\s*$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}
function parseNumber(text: string): number | undefined {
  return isNumber(text) ? Number(text) : undefined;
}
function parseBoolean(text: string): boolean | undefined {
  const word = text.trim().toLowerCase();
  return word === "true" || text === NO_VALUE ? true : word === "false" ? false : undefined;
}
function parseDuration(text: string): Duration | undefined {
  try {
    return duration(/^\d+$/.test(text) ? Number(text) : (text as DurationLike));
  } catch {
    return undefined;
  }
}

function missing(name: string, known: Iterable<string>): never {
  const hint = didYouMean(name, known);
  throw new MillraceError({ code: "PARAMETER_MISSING", message: `the parameter "${name}" is required`, hint: hint === "" ? `pass --${name} VALUE` : hint });
}
function invalid(name: string, text: string, expected: string): never {
  throw new MillraceError({ code: "PARAMETER_INVALID", message: `"${text === NO_VALUE ? "" : text}" is not a value for the parameter "${name}": expected ${expected}`, hint: `pass --${name} VALUE` });
}
