import { StreamExecutionEnvironment, ParameterTool } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
const seed = await env.once("seed", () => ({ random: Math.random(), at: new Date() }));
const parameters = ParameterTool.fromArgs(process.argv.slice(2));
env.fromSequence(1, 4).setParallelism(2).rebalance().map(() => `${parameters.get("name")} ${seed.random} ${seed.at.getTime()}`).print();
await env.execute();
