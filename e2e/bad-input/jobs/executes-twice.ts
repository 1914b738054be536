import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1).discard();
await env.execute();
env.fromData(2).discard();
await env.execute();
