import { ParameterTool, StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
if (process.argv[2] === "parameter") ParameterTool.fromArgs(["--n", "x"]).getInt("n");
if (process.argv[2] === "arguments") ParameterTool.fromArgs(process.argv.slice(3));
if (process.argv[2] === "async") env.fromData(1).map((async (value: number) => value) as never).print();
await env.execute();
