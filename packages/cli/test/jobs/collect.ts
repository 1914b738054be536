import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
const results = await env.fromSequence(1, 100).setParallelism(2).map((value) => value % 10).keyBy((value) => value).reduce((a) => a).executeAndCollect();
console.log(`collected ${results.length}`);
