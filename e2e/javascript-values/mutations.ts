import { functionFactory, type Collector, type StreamExecutionEnvironment } from "millrace";

interface Row {
  n: number;
  inside: { list: number[] };
}

const rows = (env: StreamExecutionEnvironment) => env.fromData(1, 2, 3).map((n): Row => ({ n, inside: { list: [n] } })).name("Rows");

/* Jobs that change a record after it was emitted, each in another way. The last one is innocent. */
export const mutations: Readonly<Record<string, (env: StreamExecutionEnvironment) => void>> = {
  afterCollect: (env) =>
    rows(env).flatMap<Row>((row, out) => {
      const copy = { ...row };
      out.collect(copy);
      copy.n++;
    }).name("Changer").map((row) => row.n).discard(),
  ofTheInput: (env) =>
    rows(env).map((row) => {
      row.n++;
      return row;
    }).name("Changer").discard(),
  insideOfIt: (env) =>
    rows(env).map((row) => {
      row.inside.list.push(1);
      return row;
    }).name("Changer").discard(),
  acrossAnExchange: (env) =>
    rows(env).keyBy("n").map((row) => {
      row.inside.list[0] = 7;
      return row.n;
    }).name("Changer").discard(),
  laterOn: (env) =>
    rows(env).flatMap(functionFactory(() => {
      let previous: Row | undefined;
      return {
        flatMap: (row: Row, out: Collector<Row>): void => {
          if (previous !== undefined) previous.n = -1;
          previous = { ...row };
          out.collect(previous);
        },
      };
    })).name("Changer").discard(),
  never: (env) => rows(env).map((row) => ({ ...row, n: row.n + 1 })).name("Copier").keyBy("n").map((row) => row.n).discard(),
};

export default (env: StreamExecutionEnvironment): void => mutations[process.argv[2]!]!(env);
