import { Types } from "@millrace/core";
import { LineDecoder } from "./line-decoder.js";
import type { RecordFormat } from "./record-format.js";
import type { TextOptions } from "./text.js";

/** One record per line, without its line end (`\n` or `\r\n`); empty lines are records. Splittable. Flink: TextLineInputFormat. */
export function linesFormat(options: TextOptions = {}): RecordFormat<string> {
  return {
    name: "lines",
    splittable: true,
    producedType: Types.string,
    createDecoder: (context) =>
      new LineDecoder<string>(context, options, (lines, block) => {
        if (block.values.length === 0) block.values = lines;
        else block.values.push(...lines);
      }),
  };
}
