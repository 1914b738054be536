import type { ChainNode } from "./chain-node.js";
import type { GeneratedSources } from "./task-error.js";

/** A piece of generated code under construction: text by line, whom each line belongs to, and the values it closes over. */
export class GeneratedPiece {
  readonly #url: string;
  readonly #lines: string[] = [];
  readonly #nodes: (ChainNode | undefined)[] = [];
  readonly #constants = new Map<string, unknown>();
  /** Local counters of the loop being written: variable and the node whose count it is. */
  readonly #counters: { readonly name: string; readonly target: string }[] = [];
  #countersLine = -1;
  #names = 0;

  constructor(url: string) {
    this.#url = url;
  }

  line(text: string, node?: ChainNode): void {
    this.#lines.push(text);
    this.#nodes.push(node);
  }

  /** A name no other variable of this piece has. */
  fresh(prefix: string): string {
    return `${prefix}${this.#names++}`;
  }

  /** Makes a value available to the code under the returned name. */
  constant(prefix: string, value: unknown): string {
    const name = this.fresh(prefix);
    this.#constants.set(name, value);
    return name;
  }

  /** Begins a loop: from here on counts go to local variables, which cost next to nothing. */
  beginLoop(): void {
    this.#countersLine = this.#lines.length;
    this.line("");
  }

  /** Ends the loop: adds the counts to the nodes. */
  endLoop(): void {
    if (this.#counters.length > 0) this.#lines[this.#countersLine] = `let ${this.#counters.map(({ name }) => `${name} = 0`).join(", ")};`;
    for (const { name, target } of this.#counters) this.line(`${target} += ${name};`);
    this.#countersLine = -1;
  }

  /** Counts one record for `node`. */
  count(node: ChainNode, what: "recordsIn" | "recordsOut"): void {
    const target = `${this.constant("node", node)}.${what}`;
    if (this.#countersLine < 0) return this.line(`${target}++;`);
    const name = this.fresh("count");
    this.#counters.push({ name, target });
    this.line(`${name}++;`);
  }

  /**
   * Evaluates the text, which must be the body of a function that returns the piece.
   *
   * The address is part of the text: V8 shares type feedback between functions of equal source, and here every chain must have its own.
   */
  evaluate<T>(sources: GeneratedSources): T {
    // Line 1 and 2 of what `new Function` evaluates are its own header.
    const header = 2;
    const body = [`"use strict"; /* ${this.#url} */`, ...this.#lines, `//# sourceURL=${this.#url}`].join("\n");
    sources.add(this.#url, [...Array.from({ length: header + 1 }, () => undefined), ...this.#nodes]);
    return new Function(...this.#constants.keys(), body)(...this.#constants.values()) as T;
  }
}
