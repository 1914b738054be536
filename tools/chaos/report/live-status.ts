import { stripVTControlCharacters, styleText } from "node:util";

type Colour = "bold" | "dim" | "red" | "green" | "yellow" | "cyan";

const PLAIN_EVERY_MS = 10_000;
const DRAW_EVERY_MS = 500;

/** What a run says while it goes on: some lines that are drawn again and again on a terminal, and now and then a line in a pipe. */
export class LiveStatus {
  readonly #stream: NodeJS.WriteStream;
  readonly #isTerminal: boolean;
  readonly #read: () => readonly string[];
  #timer: NodeJS.Timeout | undefined;
  #drawn = 0;

  /** @param read the lines as they should be now; a pipe gets them as one. @param isPlain as in a pipe, wherever it goes */
  constructor(stream: NodeJS.WriteStream, isPlain: boolean, read: () => readonly string[]) {
    this.#stream = stream;
    this.#isTerminal = stream.isTTY === true && !isPlain;
    this.#read = read;
  }

  start(): void {
    this.#timer = setInterval(() => this.#draw(), this.#isTerminal ? DRAW_EVERY_MS : PLAIN_EVERY_MS);
  }

  /** A line that stays. */
  print(line: string): void {
    this.#clear();
    this.#stream.write(`${line}\n`);
    if (this.#isTerminal && this.#timer !== undefined) this.#draw();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
  }

  paint(colour: Colour, text: string): string {
    return paint(this.#stream, colour, text);
  }

  #draw(): void {
    this.#clear();
    const lines = this.#read();
    if (!this.#isTerminal) {
      this.#stream.write(`${stripVTControlCharacters(lines.join("; "))}\n`);
      return;
    }
    const width = this.#stream.columns - 1;
    const fitting = lines.flatMap((line) => wrapped(line, width));
    this.#stream.write(fitting.map((line) => `${line}\n`).join(""));
    this.#drawn = fitting.length;
  }

  #clear(): void {
    if (this.#drawn > 0) this.#stream.write(`\u001b[${this.#drawn}A\u001b[J`);
    this.#drawn = 0;
  }
}

/** Coloured for a terminal, unless `NO_COLOR` is set. */
export function paint(stream: NodeJS.WriteStream, colour: Colour, text: string): string {
  return stream.isTTY === true && !process.env["NO_COLOR"] ? styleText(colour, text) : text;
}

/** At commas. A line with colours is short enough as it is. */
function wrapped(line: string, width: number): string[] {
  if (stripVTControlCharacters(line).length <= width || line.includes("\u001b")) return [line];
  const lines: string[] = [];
  for (const part of line.split(", ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + part.length + 2 > width) lines.push(lines.length === 0 ? part : `  ${part}`);
    else lines[lines.length - 1] = `${last}, ${part}`;
  }
  return lines;
}
