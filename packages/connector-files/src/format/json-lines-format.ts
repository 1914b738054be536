import { jsonErrorColumn } from "./json-error-column.js";
import { LineDecoder } from "./line-decoder.js";
import type { DecodedBlock, RecordFormat } from "./record-format.js";
import { Invalid, validate } from "./standard-schema.js";
import type { StandardSchema } from "./standard-schema.js";
import type { TextOptions } from "./text.js";

/** How JSON lines are read. */
export interface JsonLinesOptions<T> extends TextOptions {
  /** A Standard Schema validator (zod, valibot, arktype, …), called synchronously; records it refuses are malformed records. */
  readonly validate?: StandardSchema<T>;
}

/** One JSON value per line (JSON lines, NDJSON); lines of white space alone are skipped. Splittable. */
export function jsonLinesFormat<T = unknown>(options: JsonLinesOptions<T> = {}): RecordFormat<T> {
  return {
    name: "JSON lines",
    splittable: true,
    createDecoder: (context) => new LineDecoder<T>(context, options, (lines, block, firstLine) => parseLines(lines, block, firstLine, options.validate)),
  };
}

function parseLines<T>(lines: readonly string[], block: DecodedBlock<T>, firstLine: number, schema: StandardSchema<T> | undefined): void {
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
    if (schema === undefined) {
      values.push(value as T);
      continue;
    }
    const result = validate(schema, value);
    if (result instanceof Invalid) block.malformed.push({ at: values.length, line: firstLine + i, column: 1, text: line, message: result.message });
    else values.push(result);
  }
}

function jsonMessage(line: string, column: number, error: unknown): string {
  if (column > line.length) return "the JSON ends too early";
  if (!(error instanceof SyntaxError)) return String(error);
  return `unexpected ${JSON.stringify(line.slice(column - 1, column + 9))} in JSON`;
}
