import { twoWorkers } from "../contestants/loop.js";
import { millrace } from "../contestants/millrace.js";
import { formatCount, formatRatio } from "../report/table.js";
import type { Work } from "../work.js";

export const work: Work = {
  name: "hand-written-keyed-loop",
  title: "keyed-tumbling-100k beside two workers written by hand: the share of theirs that the engine reaches",
  goal: "reported",
  full: { records: 20_000_000, keys: 100_000 },
  smoke: { records: 200_000, keys: 20_000 },
  contestants: () => [millrace({ job: "keyed-tumbling" }), twoWorkers],
  figures(medians) {
    const rate = (name: string): number => medians.get(name)?.recordsPerSecond ?? Number.NaN;
    return [{
      what: "records/s", millrace: formatCount(rate("millrace")), flink: "", limit: formatCount(rate("loop")),
      ratio: formatRatio(rate("millrace") / rate("loop")), goal: "of the hand-written loop", met: undefined,
    }];
  },
};
