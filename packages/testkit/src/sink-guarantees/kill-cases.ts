import { KILL_PLACES } from "./killing-sink.js";
import { TAP_PLACES, killText, type Kill } from "./kill-switch.js";
import { broken, SinkRun } from "./sink-run.js";
import { boundsAfterFailures } from "./bounds.js";
import type { SinkGuaranteesOptions } from "./sink-under-test.js";

/** Visits of each place in a run without failures. */
export type Probe = () => Promise<ReadonlyMap<string, number>>;

export const PLACES: readonly string[] = [...KILL_PLACES, ...TAP_PLACES];

const PARALLELISM = 2;

/** What a run without failures makes visible is exact, whatever the guarantee. @returns how often it passes each place */
export async function runWithoutFailures<T>(options: SinkGuaranteesOptions<T>): Promise<ReadonlyMap<string, number>> {
  const { kills } = await SinkRun.play(options, 1, [], async (run) => {
    await run.toEnd({ parallelism: PARALLELISM });
    await run.require(() => [1, 1], "without failures");
  });
  return kills.visits;
}

/** Kills at one place, wherever a run comes by it. A sink that never does has nothing to fail there. */
export async function killAt<T>(options: SinkGuaranteesOptions<T>, place: string, probe: Probe): Promise<void> {
  const visits = (await probe()).get(place) ?? 0;
  if (visits === 0) return;
  for (const kill of killsAt(place, visits, options.kills ?? (options.time === "real" ? "some" : "every"))) await killOnce(options, kill, visits);
}

function killsAt(place: string, visits: number, how: "every" | "some"): readonly Kill[] {
  const middle = Math.ceil(visits / 2);
  if (how === "some") return [{ place, at: middle, dies: PLACES.indexOf(place) % 3 !== 0 }];
  return [...new Set([1, middle, visits])].flatMap((at) => [{ place, at, dies: false }, { place, at, dies: true }]);
}

async function killOnce<T>(options: SinkGuaranteesOptions<T>, kill: Kill, visits: number): Promise<void> {
  try {
    await SinkRun.play(options, kill.at, [kill], async (run) => {
      await run.toEnd({ parallelism: PARALLELISM });
      // The last visits of a run may not come again exactly: in real time, checkpoints are not taken at the same records.
      if (run.kills.hits === 0 && kill.at <= visits / 2 && options.time !== "real") throw broken("the kill did not hit");
      await run.require(boundsAfterFailures(options), "after a failure");
    });
  } catch (error) {
    throw broken(`${killText(kill)}: ${(error as Error).message}`, error);
  }
}
