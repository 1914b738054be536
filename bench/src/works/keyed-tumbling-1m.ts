import type { Work } from "../work.js";
import { throughputWork } from "./throughput.js";

export const work: Work = throughputWork({
  name: "keyed-tumbling-1m",
  title: "the same with 1 M keys",
  program: "keyed-tumbling",
  timesFlink: 3,
  full: { records: 20_000_000, keys: 1_000_000 },
  smoke: { records: 200_000, keys: 100_000 },
});
