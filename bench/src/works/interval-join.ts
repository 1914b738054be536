import type { Work } from "../work.js";
import { throughputWork } from "./throughput.js";

export const work: Work = throughputWork({
  name: "interval-join",
  title: "an interval join of ± 500 ms",

  timesFlink: 2,
  full: { records: 10_000_000, keys: 10_000 },
  smoke: { records: 100_000, keys: 10_000 },
});
