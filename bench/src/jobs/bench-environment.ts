import { StreamExecutionEnvironment } from "millrace";
import { parameters } from "./job-parameters.js";
import { addPrelude } from "./prelude.js";

/** An environment with the prelude's pipelines in it. */
export function benchEnvironment(): StreamExecutionEnvironment {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  addPrelude(env, parameters.getInt("prelude", 0));
  return env;
}
