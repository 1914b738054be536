import { StreamExecutionEnvironment } from "millrace";

const env = StreamExecutionEnvironment.getExecutionEnvironment();

function parse(value: number): number {
  if (value === 3) throw new RangeError(`cannot parse ${value}`);
  return value;
}

env.fromData(1, 2, 3).map((value) => parse(value)).name("Parser").print();
await env.execute("failing job");
