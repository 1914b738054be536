import type { Work } from "../work.js";
import { throughputWork } from "./throughput.js";

export const work: Work = throughputWork({
  name: "keyed-tumbling-100k",
  title: "keyBy a string and a tumbling sum: 6 fields, 5 s of disorder, 100 k keys",
  program: "keyed-tumbling",
  timesFlink: 5,
  full: { records: 20_000_000, keys: 100_000 },
  smoke: { records: 200_000, keys: 20_000 },
});
