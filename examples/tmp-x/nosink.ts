import { StreamExecutionEnvironment, WatermarkStrategy, TumblingEventTimeWindows } from "millrace";
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1, 2, 3).keyBy((x) => x % 2).window(TumblingEventTimeWindows.of("1 s")).reduce((a, b) => a + b).print();
await env.execute();
