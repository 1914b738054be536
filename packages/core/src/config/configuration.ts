import { MillraceError } from "../errors/millrace-error.js";
import { didYouMean } from "../errors/nearest.js";
import type { ConfigOption } from "./config-option.js";

/** Values by key, immutable. Unknown keys and bad values are refused when it is made, with the key and the nearest known one. */
export class Configuration {
  readonly #values: ReadonlyMap<string, unknown>;

  private constructor(values: ReadonlyMap<string, unknown>) {
    this.#values = values;
  }

  static readonly empty: Configuration = new Configuration(new Map());

  /**
   * Checks raw values (text or already typed) against the known options.
   * @throws `CONFIG_UNKNOWN_KEY` or `CONFIG_BAD_VALUE`, naming the key.
   */
  static of(raw: Readonly<Record<string, unknown>>, known: readonly ConfigOption<any>[]): Configuration {
    const byKey = new Map(known.map((option) => [option.key, option]));
    const byOldKey = new Map(known.flatMap((option) => (option.deprecatedKeys ?? []).map((key) => [key, option] as const)));
    const values = new Map<string, unknown>();
    for (const [key, value] of Object.entries(raw)) {
      const option = byKey.get(key) ?? byOldKey.get(key);
      if (option === undefined) throw unknownKey(key, byKey.keys());
      if (key === option.key || !(option.key in raw)) values.set(option.key, parse(option, value));
    }
    return new Configuration(values);
  }

  /** The value of an option, or its default. */
  get<T>(option: ConfigOption<T>): T {
    return this.#values.has(option.key) ? (this.#values.get(option.key) as T) : option.defaultValue;
  }

  has(option: ConfigOption<any>): boolean {
    return this.#values.has(option.key);
  }

  with<T>(option: ConfigOption<T>, value: unknown): Configuration {
    return new Configuration(new Map(this.#values).set(option.key, parse(option, value)));
  }

  /** All of `other` over this. */
  mergedWith(other: Configuration): Configuration {
    return new Configuration(new Map([...this.#values, ...other.#values]));
  }

  toJSON(): Record<string, unknown> {
    return Object.fromEntries([...this.#values].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

function unknownKey(key: string, known: Iterable<string>): MillraceError {
  const hint = didYouMean(key, known);
  return new MillraceError({
    code: "CONFIG_UNKNOWN_KEY",
    message: `unknown configuration key "${key}"`,
    hint: hint === "" ? "see docs/configuration.md for all keys" : hint,
    location: { option: key },
  });
}

function parse(option: ConfigOption<unknown>, value: unknown): unknown {
  try {
    return option.parse(value);
  } catch (cause) {
    const shown = option.kind === "secret" ? "******" : String(value);
    throw new MillraceError({
      code: "CONFIG_BAD_VALUE",
      message: `"${shown}" is not a value for "${option.key}": expected ${(cause as Error).message}`,
      hint: (cause as { readonly hint?: string }).hint ?? option.description,
      location: { option: option.key },
    });
  }
}
