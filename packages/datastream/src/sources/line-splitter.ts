import { newUtf8Decoder, type Utf8Decoder } from "./text-bytes.js";

/** Cuts bytes that come in pieces into lines of text. A "\r" before a "\n" is dropped. */
export class LineSplitter {
  readonly #delimiter: string;
  readonly #decoder: Utf8Decoder = newUtf8Decoder();
  #rest = "";

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** Appends the lines that are complete to `lines`. */
  push(bytes: Uint8Array, lines: string[]): void {
    const parts = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split(this.#delimiter);
    this.#rest = parts.pop()!;
    for (const part of parts) lines.push(this.#trim(part));
  }

  /** The input ended: what is left is a line, unless it is empty. */
  end(lines: string[]): void {
    const rest = this.#rest + this.#decoder.decode();
    this.#rest = "";
    if (rest !== "") lines.push(this.#trim(rest));
  }

  #trim(line: string): string {
    return this.#delimiter === "\n" && line.endsWith("\r") ? line.slice(0, -1) : line;
  }
}
