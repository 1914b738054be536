import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1, 2, 3).map((x) => offset + x).print();
await env.execute();
const offset = 10;
