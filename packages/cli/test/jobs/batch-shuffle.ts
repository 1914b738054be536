import { StreamExecutionEnvironment } from "millrace";

/* Two blocking exchanges in a row, with far more records than the channels have credits for. */
const env = StreamExecutionEnvironment.getExecutionEnvironment();
const results = await env.fromSequence(1, 200_000).keyBy((value) => value % 1000).reduce((a, b) => a + b)
  .keyBy((value) => value % 7).reduce((a, b) => a + b).executeAndCollect();
console.log(`groups ${results.length} sum ${results.reduce((a, b) => a + b, 0)}`);
