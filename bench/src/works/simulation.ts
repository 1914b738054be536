import { join } from "node:path";
import { repository } from "../contestants/bench-files.js";
import { runProcess } from "../contestants/run-process.js";
import type { Contestant, Work } from "../work.js";

const GOAL = 200;

/** What `npm run sim` says of itself. Its records are seeds. */
export const work: Work = {
  name: "simulation",
  title: "whole clusters simulated, faults included: seeds a minute of npm run sim",
  goal: `≥ ${GOAL} seeds a minute`,
  full: { records: 150 },
  smoke: { records: 4 },
  contestants: () => [simulation],
  figures(medians) {
    const perMinute = medians.get("millrace")?.extras["seedsPerMinute"] ?? Number.NaN;
    return [{ what: "seeds a minute", millrace: perMinute.toFixed(0), flink: "", limit: "", ratio: "", goal: `≥ ${GOAL}`, met: perMinute >= GOAL }];
  },
};

const simulation: Contestant = {
  name: "millrace",
  async run({ size }) {
    const { stdout, peakRssKb } = await runProcess(process.execPath, ["--import", "tsx", join(repository, "tools/sim/sim.ts"), "--seeds", String(size.records)]);
    const said = /^(\d+) seeds in ([\d.]+) s: (\d+) a minute/m.exec(stdout);
    if (said === null) throw new Error(`the simulation did not say how fast it was:\n${stdout.slice(-2000)}`);
    const [seeds, seconds, perMinute] = said.slice(1).map(Number) as [number, number, number];
    return { records: seeds, seconds, cpuSeconds: Number.NaN, peakRssKb, outputs: 0, checksum: 0, extras: { seedsPerMinute: perMinute } };
  },
};
