import { LineDecoder } from "./line-decoder.js";
import { commonShape, shapeText } from "./json-shape.js";
import { compilePlainLines } from "./json-plain-lines.js";
import type { PlainLines, StringReader } from "./json-plain-lines.js";
import type { DecodedBlock, DecoderContext, RecordDecoder } from "./record-format.js";
import { afterNewline, byteOrderMark, bytesAsText, invalidUtf8, NEWLINE, TextDecoding } from "./text.js";
import type { TextOptions } from "./text.js";

/** Lines from which a shape is learnt. */
const SAMPLE = 32;
/** How often a decoder learns another one when lines have changed; then it takes it that they have none. */
const MOST_TRIES = 8;
const MOST_COMPILED = 16;

/** What becomes of lines: records and malformed items. */
export interface LineParser<T> {
  /** Takes lines in the plain way; `firstLine` is the block-relative number of `lines[0]`. */
  lines(lines: readonly string[], block: DecodedBlock<T>, firstLine: number): void;
  /** Takes a line's value where that need not be a record; `text` gives its line. */
  value(value: unknown, block: DecodedBlock<T>, line: number, text: () => string): void;
  /** True when every value is a record as it is. */
  readonly takesAll: boolean;
}

/** Readers that were compiled, shared by a format's decoders: what V8 has learnt about one is of use for the next split. */
export class PlainLineReaders {
  readonly #text: TextDecoding;
  readonly #strings: StringReader;
  readonly #compiled = new Map<string, PlainLines>();
  /** The last one that was of use. */
  latest: PlainLines | undefined;

  constructor(text: TextDecoding) {
    this.#text = text;
    this.#strings = {
      plain: (bytes, from, to) => text.decode(bytes, from, to),
      escaped(bytes, from, to) {
        const json = text.decode(bytes, from, to);
        try {
          return json === undefined ? undefined : (JSON.parse(json) as string);
        } catch {
          return undefined;
        }
      },
    };
  }

  of(values: readonly unknown[]): PlainLines | undefined {
    const shape = commonShape(values);
    if (shape === undefined) return undefined;
    const key = shapeText(shape);
    let reader = this.#compiled.get(key);
    if (reader === undefined) {
      if (this.#compiled.size >= MOST_COMPILED) this.#compiled.clear();
      reader = compilePlainLines(shape, this.#strings, (text) => Buffer.from(text, this.#text.encoding));
      this.#compiled.set(key, reader);
    }
    this.latest = reader;
    return reader;
  }
}

/**
 * Decodes lines of JSON of one split. The first lines are parsed and tell what the others look like; for those a reader is compiled, and what it does not
 * take goes the plain way, line by line. Where it takes too few, the shape is learnt again, and at last given up.
 */
export class JsonLinesDecoder<T> implements RecordDecoder<T> {
  readonly #parser: LineParser<T>;
  readonly #text: TextDecoding;
  readonly #readers: PlainLineReaders;
  readonly #byLine: LineDecoder<T>;
  #atFileStart: boolean;
  #plain: PlainLines | undefined;
  #sample: unknown[] | undefined;
  #tries: number = 0;

  constructor(context: DecoderContext, options: TextOptions, readers: PlainLineReaders, parser: LineParser<T>) {
    this.#parser = parser;
    this.#text = new TextDecoding(options);
    this.#readers = readers;
    this.#byLine = new LineDecoder<T>({ ...context, atFileStart: false }, options, (lines, block, firstLine) => parser.lines(lines, block, firstLine));
    this.#atFileStart = context.atFileStart;
    this.#plain = readers.latest;
    if (this.#plain === undefined) this.#learn();
  }

  decode(bytes: Uint8Array, final: boolean, block: DecodedBlock<T>): number {
    if (this.#plain === undefined && this.#sample === undefined) return this.#byLine.decode(bytes, final, block);
    const to = final ? bytes.length : bytes.lastIndexOf(NEWLINE) + 1;
    if (to === 0) return 0;
    const from = this.#atFileStart ? byteOrderMark(bytes) : 0;
    this.#atFileStart = false;
    this.#lines(bytes.subarray(from, to), block);
    return to;
  }

  skipToRecord(bytes: Uint8Array): number {
    return afterNewline(bytes);
  }

  #lines(bytes: Uint8Array, block: DecodedBlock<T>): void {
    const end = bytes.lastIndexOf(NEWLINE) + 1;
    const text = bytesAsText(bytes, 0, end);
    let others = 0;
    for (let at = 0; at < bytes.length; ) {
      if (this.#plain !== undefined && at < end) {
        at = this.#plainLines(this.#plain, bytes, text, at, end, block);
        if (at >= bytes.length) break;
      }
      at = this.#otherLine(bytes, at, block);
      others++;
    }
    if (this.#plain !== undefined && others > SAMPLE && others * 2 > block.items) this.#learn();
  }

  #plainLines(plain: PlainLines, bytes: Uint8Array, text: string, from: number, to: number, block: DecodedBlock<T>): number {
    const { takesAll } = this.#parser;
    const values: unknown[] = takesAll ? block.values : [];
    const before = values.length;
    const at = plain(bytes, text, from, to, values);
    if (takesAll) block.lines += values.length - before;
    else {
      let next = from;
      for (const value of values) {
        const start = next;
        next = bytes.indexOf(NEWLINE, start) + 1;
        this.#parser.value(value, block, block.lines++, () => withoutReturn(this.#text.decode(bytes, start, next - 1)!));
      }
    }
    return at;
  }

  /** A line in the plain way. */
  #otherLine(bytes: Uint8Array, from: number, block: DecodedBlock<T>): number {
    const newline = bytes.indexOf(NEWLINE, from);
    const to = newline < 0 ? bytes.length : newline;
    const text = this.#text.decode(bytes, from, to);
    const count = block.values.length;
    if (text === undefined) block.malformed.push(invalidUtf8(withoutReturn(bytesAsText(bytes, from, to)), count, block.lines));
    else this.#parser.lines([withoutReturn(text)], block, block.lines);
    if (this.#sample !== undefined && block.values.length > count) this.#observe(this.#parser.takesAll ? block.values[count] : JSON.parse(text!));
    if (newline >= 0) block.lines++;
    return newline < 0 ? bytes.length : newline + 1;
  }

  #learn(): void {
    this.#plain = undefined;
    this.#sample = this.#tries++ < MOST_TRIES ? [] : undefined;
  }

  #observe(value: unknown): void {
    this.#sample!.push(value);
    if (this.#sample!.length < SAMPLE) return;
    this.#plain = this.#readers.of(this.#sample!);
    this.#sample = undefined;
  }
}

function withoutReturn(line: string): string {
  return line.endsWith("\r") ? line.slice(0, -1) : line;
}
