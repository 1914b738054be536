import type { Work } from "../work.js";
import { throughputWork } from "./throughput.js";

export const work: Work = throughputWork({
  name: "process-timers",
  title: "a process function with map state and timers",

  timesFlink: 2,
  full: { records: 10_000_000, keys: 100_000 },
  smoke: { records: 100_000, keys: 20_000 },
});
