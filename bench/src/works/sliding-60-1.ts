import type { Work } from "../work.js";
import { throughputWork } from "./throughput.js";

export const work: Work = throughputWork({
  name: "sliding-60-1",
  title: "a sliding window 60:1 with integer sums",

  timesFlink: 20,
  full: { records: 2_000_000, keys: 1000 },
  smoke: { records: 50_000, keys: 1000 },
});
