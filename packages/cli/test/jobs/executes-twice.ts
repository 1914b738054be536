import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1).print();
await env.execute();
env.fromData(2).print();
await env.execute();
