import { StreamExecutionEnvironment } from "millrace";
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData<{ k?: string; n: number }>({ k: "a", n: 1 }, { n: 2 }).keyBy((x) => x.k).sum("n").print();
await env.execute();
