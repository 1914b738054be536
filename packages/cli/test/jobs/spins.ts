import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1).map((value) => {
  console.log("spinning");
  for (;;) value++;
}).print();
await env.execute("spinning job");
