import { StreamExecutionEnvironment } from "millrace";
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1, 2, 3).map(async (x) => x).print();
await env.execute();
