import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
const runs = process.argv.length;
await env.once("planned", () => process.env["BAD_INPUT_RUNS"] = "planned");
if (process.env["BAD_INPUT_RUNS"] !== "planned") throw new Error(`only with ${runs} arguments`);
env.fromData(1).discard();
await env.execute();
