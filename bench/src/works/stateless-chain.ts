import type { Work } from "../work.js";
import { throughputWork } from "./throughput.js";

export const work: Work = throughputWork({
  name: "stateless-chain",
  title: "a stateless chain of 5 operators",

  timesFlink: 5,
  full: { records: 50_000_000 },
  smoke: { records: 2_000_000 },
});
