/**
 * A value that must not be seen: a password, a token.
 *
 * Printing, logging, `JSON.stringify` and the inspector show `******`; only {@link reveal} gives the text.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The secret itself. Call it where it is used, and keep the result nowhere. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return "******";
  }

  toJSON(): string {
    return "******";
  }
}
