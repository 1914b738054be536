import { StreamExecutionEnvironment } from "millrace";
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData("a b a", "c b a").flatMap((l: string, out: any) => { for (const w of l.split(" ")) out.collect({ w, n: 1 }); }).keyBy((x: any) => x.w).sum("n").print();
await env.execute("wc");
console.log("done");
