import { StreamExecutionEnvironment } from "millrace";
interface Row { a?: { b: number } }
const env = StreamExecutionEnvironment.getExecutionEnvironment();
function deep(x: Row): number {
  return x.a!.b;
}
env.fromData<Row>({ a: { b: 1 } }, { a: { b: 2 } }, {})
  .map((x) => deep(x))
  .name("Deep")
  .print();
env.enableCheckpointing("1 s"); await env.execute("throws");
