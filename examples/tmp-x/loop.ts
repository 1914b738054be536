import { StreamExecutionEnvironment } from "millrace";
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1, 2, 3).map((x) => { for (;;) {} return x; }).print();
await env.execute();
