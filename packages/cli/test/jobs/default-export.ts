import type { StreamExecutionEnvironment } from "millrace";

export default (env: StreamExecutionEnvironment): void => {
  env.fromData(1, 2, 3).map((value) => value * 10).print();
};
