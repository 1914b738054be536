import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1).map((n) => {
  console.log("spinning");
  for (;;) n++;
}).name("Spinner").print();
await env.execute();
