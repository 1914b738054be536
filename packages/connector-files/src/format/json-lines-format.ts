import { jsonErrorColumn } from "./json-error-column.js";
import { JsonLinesDecoder, PlainLineReaders } from "./json-lines-decoder.js";
import type { LineParser } from "./json-lines-decoder.js";
import type { DecodedBlock, RecordFormat } from "./record-format.js";
import { Invalid, validate } from "./standard-schema.js";
import type { StandardSchema } from "./standard-schema.js";
import { TextDecoding } from "./text.js";
import type { TextOptions } from "./text.js";

/** How JSON lines are read. */
export interface JsonLinesOptions<T> extends TextOptions {
  /** A Standard Schema validator (zod, valibot, arktype, …), called synchronously; records it refuses are malformed records. */
  readonly validate?: StandardSchema<T>;
}

/** One JSON value per line (JSON lines, NDJSON); lines of white space alone are skipped. Splittable. */
export function jsonLinesFormat<T = unknown>(options: JsonLinesOptions<T> = {}): RecordFormat<T> {
  const parser = new JsonLineParser<T>(options.validate);
  const readers = new PlainLineReaders(new TextDecoding(options));
  return {
    name: "JSON lines",
    splittable: true,
    createDecoder: (context) => new JsonLinesDecoder<T>(context, options, readers, parser),
  };
}

/** By `JSON.parse`, and what a validator says. */
export class JsonLineParser<T> implements LineParser<T> {
  readonly #schema: StandardSchema<T> | undefined;
  readonly takesAll: boolean;

  constructor(schema: StandardSchema<T> | undefined) {
    this.#schema = schema;
    this.takesAll = schema === undefined;
  }

  lines(lines: readonly string[], block: DecodedBlock<T>, firstLine: number): void {
    const { values } = block;
    for (let i = 0; i < lines.length; i++) {
      const line = lines[i]!;
      let value: unknown;
      try {
        value = JSON.parse(line);
      } catch (error) {
        if (/^\s*$/.test(line)) continue;
        const column = jsonErrorColumn(line);
        block.malformed.push({ at: values.length, line: firstLine + i, column, text: line, message: jsonMessage(line, column, error) });
        continue;
      }
      if (this.takesAll) values.push(value as T);
      else this.value(value, block, firstLine + i, () => line);
    }
  }

  value(value: unknown, { values, malformed }: DecodedBlock<T>, line: number, text: () => string): void {
    const result = validate(this.#schema!, value);
    if (result instanceof Invalid) malformed.push({ at: values.length, line, column: 1, text: text(), message: result.message });
    else values.push(result);
  }
}

function jsonMessage(line: string, column: number, error: unknown): string {
  if (column > line.length) return "the JSON ends too early";
  if (!(error instanceof SyntaxError)) return String(error);
  return `unexpected ${JSON.stringify(line.slice(column - 1, column + 9))} in JSON`;
}
