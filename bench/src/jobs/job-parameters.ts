import { ParameterTool } from "millrace";

/** What every job of the benchmark is started with: `--records N [--keys K] [--prelude N] [--profile DIR]`. */
export const parameters: ParameterTool = ParameterTool.fromArgs(process.argv.slice(2));
export const records: number = parameters.getInt("records", 1_000_000);
