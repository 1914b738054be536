const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// oxlint-disable-next-line no-control-regex -- JSON forbids exactly these inside strings
const STRING_PART = /(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*/y;
const LITERAL = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;

/**
 * Where a text stops being JSON: the one-based column of the first character that cannot be there (one past the end when it ends too early).
 *
 * `JSON.parse` names no position for many errors. Only called for lines it refused.
 */
export function jsonErrorColumn(text: string): number {
  const scanner = new JsonScanner(text);
  scanner.document();
  return scanner.at + 1;
}

/** Walks over a JSON text with a stack of its own; `at` stays at the first error. */
class JsonScanner {
  readonly text: string;
  at: number = 0;

  constructor(text: string) {
    this.text = text;
  }

  document(): void {
    const open: ("{" | "[")[] = [];
    for (;;) {
      this.#skip(SPACE);
      const c = this.text[this.at];
      if (c === "{" || c === "[") {
        this.at++;
        this.#skip(SPACE);
        if (this.text[this.at] !== (c === "{" ? "}" : "]")) {
          open.push(c);
          if (c === "{" && !this.#key()) return;
          continue;
        }
        this.at++;
      } else if (!this.#scalar()) return;
      if (!this.#afterValue(open)) return;
    }
  }

  /** Closes what ends here; true when another value must follow. */
  #afterValue(open: ("{" | "[")[]): boolean {
    for (;;) {
      this.#skip(SPACE);
      const inside = open[open.length - 1];
      if (inside === undefined) return false;
      const c = this.text[this.at];
      if (c === ",") {
        this.at++;
        return inside === "[" || this.#key();
      }
      if (c !== (inside === "{" ? "}" : "]")) return false;
      this.at++;
      open.pop();
    }
  }

  #key(): boolean {
    this.#skip(SPACE);
    if (!this.#string()) return false;
    this.#skip(SPACE);
    if (this.text[this.at] !== ":") return false;
    this.at++;
    return true;
  }

  #scalar(): boolean {
    return this.text[this.at] === '"' ? this.#string() : this.#skip(LITERAL) || this.#skip(NUMBER);
  }

  #string(): boolean {
    if (this.text[this.at] !== '"') return false;
    this.at++;
    this.#skip(STRING_PART);
    if (this.text[this.at] !== '"') return false;
    this.at++;
    return true;
  }

  #skip(expression: RegExp): boolean {
    expression.lastIndex = this.at;
    const matched = expression.exec(this.text);
    if (matched === null) return false;
    this.at += matched[0].length;
    return true;
  }
}
