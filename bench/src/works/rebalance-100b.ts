import type { Work } from "../work.js";
import { throughputWork } from "./throughput.js";

export const work: Work = throughputWork({
  name: "rebalance-100b",
  title: "rebalance of 100-byte records between slots",

  timesFlink: 5,
  full: { records: 20_000_000 },
  smoke: { records: 500_000 },
});
