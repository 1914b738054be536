import { parseArgs } from "node:util";
import { numberAtLeast } from "../command-line/arguments.js";
import { faultNames, type FaultName } from "./faults/fault.js";
import { scenarios } from "./scenarios/all-scenarios.js";
import type { Scenario } from "./scenarios/scenario.js";
import type { HighAvailability, SlotIsolation } from "./world/world.js";

export interface ChaosArguments {
  /** Of all scenarios together, from the first fault to the end of the time in which progress is demanded. */
  readonly minutes: number;
  readonly scenarios: readonly Scenario[];
  readonly seed: number;
  /** Unset: what the seed says. */
  readonly highAvailability: HighAvailability | undefined;
  /** Unset: what the seed says. */
  readonly slotIsolation: SlotIsolation | undefined;
  readonly faults: readonly FaultName[];
  readonly ratePerSecond: number;
  readonly taskManagers: number;
  readonly ci: boolean;
  readonly verbose: boolean;
  readonly keep: boolean;
}

export const usage = `usage: npm run chaos -- [--minutes N] [--scenario NAME …] [--seed S] [options]

Runs real clusters (two JobManagers with high availability, TaskManagers, checkpoints on disk), does everything to them that
happens in life, and compares what comes out record by record with what must come out. Exit code 0: nothing is wrong.

  --minutes N        of faults and healing, shared by the scenarios (default 5); start and end come on top
  --scenario NAME    one of those below; may be repeated (default: all)
  --seed S           what happens, and when: as in the run that printed it
  --ha KIND          file or zookeeper (default: the seed decides; several scenarios take turns)
  --slots KIND       thread or process: what a slot is (default: the seed decides)
  --faults A,B,…     only these
  --rate N           records a second (default 400)
  --task-managers N  with two slots each (default 3)
  --verbose          a line for everything that happens
  --keep             keep logs and outputs of runs that pass, too
  --ci               plain lines, and the ends of all logs when a run has failed

scenarios:
${scenarios.map(({ name, what }) => `  ${name.padEnd(16)} ${what}`).join("\n")}

faults:
${Array.from({ length: Math.ceil(faultNames.length / 5) }, (_, row) => `  ${faultNames.slice(row * 5, row * 5 + 5).join(", ")}`).join("\n")}

examples:
  npm run chaos -- --minutes 10
  npm run chaos -- --minutes 3 --scenario files --verbose
  npm run chaos -- --minutes 3 --scenario kafka-to-kafka --seed 42 --ha zookeeper
  npm run chaos -- --minutes 2 --scenario files --faults leader-killed,disk-full`;

/** `undefined`: help is wanted. @throws with what is wrong */
export function parseArguments(args: readonly string[]): ChaosArguments | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "5" }, scenario: { type: "string", multiple: true, default: [] }, seed: { type: "string" }, ha: { type: "string" }, slots: { type: "string" },
      faults: { type: "string" },
      rate: { type: "string", default: "400" }, "task-managers": { type: "string", default: "3" }, ci: { type: "boolean", default: false }, verbose: { type: "boolean", default: false },
      keep: { type: "boolean", default: false }, help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return undefined;
  const named = <T extends string>(option: string, names: readonly string[], known: readonly T[]): T[] =>
    names.map((name) => known.find((other) => other === name) ?? fail(`--${option}: there is no "${name}", only ${known.join(", ")}`));
  const chosen = named("scenario", values.scenario, scenarios.map(({ name }) => name));
  return {
    minutes: numberAtLeast("minutes", values.minutes, 0.1), ratePerSecond: numberAtLeast("rate", values.rate, 1), taskManagers: numberAtLeast("task-managers", values["task-managers"], 2),
    scenarios: chosen.length === 0 ? scenarios : scenarios.filter(({ name }) => chosen.includes(name)),
    seed: values.seed === undefined ? Math.floor(Math.random() * 1e6) : numberAtLeast("seed", values.seed, 0),
    highAvailability: values.ha === undefined ? undefined : named("ha", [values.ha], ["file", "zookeeper"] as const)[0],
    slotIsolation: values.slots === undefined ? undefined : named("slots", [values.slots], ["thread", "process"] as const)[0],
    faults: values.faults === undefined ? faultNames : named("faults", values.faults.split(","), faultNames),
    ci: values.ci, verbose: values.verbose, keep: values.keep,
  };
}

function fail(message: string): never {
  throw new Error(message);
}
