import { ParameterTool, StreamExecutionEnvironment } from "millrace";
import { addPrelude } from "./prelude.js";

/** What every job of the benchmark is started with: `--records N [--keys K] [--prelude N]`. */
export const parameters: ParameterTool = ParameterTool.fromArgs(process.argv.slice(2));
export const records: number = parameters.getInt("records", 1_000_000);

/** An environment with the prelude's pipelines in it. */
export function benchEnvironment(): StreamExecutionEnvironment {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  addPrelude(env, parameters.getInt("prelude", 0));
  return env;
}
