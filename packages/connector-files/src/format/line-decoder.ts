import type { DecodedBlock, DecoderContext, RecordDecoder } from "./record-format.js";
import { afterNewline, byteOrderMark, bytesAsText, invalidUtf8, NEWLINE, strictText, TextDecoding } from "./text.js";
import type { TextOptions } from "./text.js";

/** Cuts a file into lines and hands them on block by block: the base of all formats with one record per line. */
export class LineDecoder<T> implements RecordDecoder<T> {
  readonly #text: TextDecoding;
  readonly #accept: (lines: string[], block: DecodedBlock<T>, firstLine: number) => void;
  #atFileStart: boolean;

  /** `accept` appends what became of some lines to the block; `firstLine` is the block-relative number of `lines[0]`. */
  constructor(context: DecoderContext, options: TextOptions, accept: (lines: string[], block: DecodedBlock<T>, firstLine: number) => void) {
    this.#text = new TextDecoding(options);
    this.#accept = accept;
    this.#atFileStart = context.atFileStart;
  }

  decode(bytes: Uint8Array, final: boolean, block: DecodedBlock<T>): number {
    const to = final ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
    if (to === 0) return 0;
    const from = this.#atFileStart ? byteOrderMark(bytes) : 0;
    this.#atFileStart = false;
    const text = this.#text.decode(bytes, from, to);
    const lines = splitLines(text ?? bytesAsText(bytes, from, to));
    block.lines = bytes[to - 1] === NEWLINE ? lines.length : Math.max(0, lines.length - 1);
    if (text === undefined) this.#acceptOneByOne(lines, block);
    else this.#accept(lines, block, 0);
    return to;
  }

  skipToRecord(bytes: Uint8Array): number {
    return afterNewline(bytes);
  }

  #acceptOneByOne(lines: readonly string[], block: DecodedBlock<T>): void {
    for (const [number, line] of lines.entries()) {
      const text = strictText(line);
      if (text !== undefined) this.#accept([text], block, number);
      else block.malformed.push(invalidUtf8(line, block.values.length, number));
    }
  }
}

/** The lines of a block, without their ends (`\n` or `\r\n`). A last line need not be terminated. */
function splitLines(text: string): string[] {
  const lines = text.split("\n");
  if (lines[lines.length - 1] === "") lines.pop();
  if (text.includes("\r")) {
    for (let i = 0; i < lines.length; i++) if (lines[i]!.endsWith("\r")) lines[i] = lines[i]!.slice(0, -1);
  }
  return lines;
}
