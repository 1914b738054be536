import { killAt, PLACES, runWithoutFailures } from "./kill-cases.js";
import { runRandomly } from "./random-cases.js";
import type { SinkGuaranteesOptions } from "./sink-under-test.js";
import { STORIES } from "./story-cases.js";

/** One test of a sink, for any test runner. */
export interface SinkCase {
  readonly name: string;
  /** Rejects with `SINK_GUARANTEE_BROKEN`, or what a job failed with. */
  run(): Promise<void>;
}

/**
 * The kill tests of a sink: jobs write with it to an external system, are killed at every step of a checkpoint and of a commit, cancelled, stopped, restored, also
 * from older checkpoints and with other parallelisms, cut off from the external system, and all of that in random order. Afterwards what readers see is held against
 * the guarantee, and nothing may be left open. Works for any sink; the cases are run one after the other.
 *
 * ```ts
 * for (const { name, run } of sinkGuarantees({ name: "my sink", guarantee: "exactly-once", open: () => new MyWorld() })) test(name, run);
 * ```
 */
export function sinkGuarantees<T = string>(options: SinkGuaranteesOptions<T>): readonly SinkCase[] {
  let visits: Promise<ReadonlyMap<string, number>> | undefined;
  const probe = (): Promise<ReadonlyMap<string, number>> => (visits ??= runWithoutFailures(options));
  const { seeds = options.time === "real" ? 3 : 20, firstSeed = 1 } = options;
  const named = (name: string, run: () => Promise<unknown>): SinkCase => ({
    name: `${options.name}: ${name}`,
    run: async () => {
      await run();
    },
  });
  return [
    named("without failures", probe),
    ...PLACES.map((place) => named(`killed ${place}`, () => killAt(options, place, probe))),
    ...STORIES.map(([name, tell]) => named(name, () => tell(options))),
    ...Array.from({ length: seeds }, (_, index) => named(`random sequence ${firstSeed + index}`, () => runRandomly(options, firstSeed + index, probe))),
  ];
}
