import { ParameterTool, StreamExecutionEnvironment } from "millrace";

const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(parameters.get("input", "nothing")).print();
await env.execute();
