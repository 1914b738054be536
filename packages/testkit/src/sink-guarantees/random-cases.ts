import { inspect } from "node:util";
import { seededRandom } from "../virtual-time/seeded-random.js";
import { boundsAfterFailures } from "./bounds.js";
import { PLACES, type Probe } from "./kill-cases.js";
import { killText, type Kill } from "./kill-switch.js";
import { broken, SinkRun } from "./sink-run.js";
import type { SinkGuaranteesOptions } from "./sink-under-test.js";

/** One job of a random sequence; the last one runs to its end. */
interface Part {
  readonly parallelism: number;
  readonly restarts: boolean;
  /** Then it is cancelled, or stopped behind a savepoint. */
  readonly afterRecords: number;
  readonly then: "cancel" | "stop";
}

/** A random sequence of kills, cancels, stops, restores and changes of parallelism. */
export async function runRandomly<T>(options: SinkGuaranteesOptions<T>, seed: number, probe: Probe): Promise<void> {
  const visits = await probe();
  const random = seededRandom(seed * 7919);
  const upTo = (most: number): number => 1 + Math.floor(random() * most);
  const places = PLACES.filter((place) => visits.has(place));
  const kills = Array.from({ length: upTo(4) }, (): Kill => {
    const place = places[Math.floor(random() * places.length)]!;
    return { place, at: upTo(Math.ceil(visits.get(place)! * 1.3)), dies: random() < 0.5 };
  });
  const parts = Array.from({ length: upTo(3) }, (): Part => ({
    parallelism: upTo(3), restarts: random() < 0.7, afterRecords: upTo(options.records ?? 120), then: random() < 0.5 ? "cancel" : "stop",
  }));
  try {
    await SinkRun.play(options, seed, kills, async (run) => {
      let from: string | undefined;
      for (const part of parts) {
        const job = await run.start({ parallelism: part.parallelism, restarts: part.restarts, from });
        await run.untilPassed(job, part.afterRecords);
        if (await run.hasEnded(job)) {
          if ((await job.ended).error === undefined) return run.require(boundsAfterFailures(options), "in the end");
          from = await run.last(job);
          continue;
        }
        const savepoint = part.then === "stop" ? await run.stop(job) : undefined;
        // When a stop fails behind its savepoint, that is committed, and the job goes on from there: nobody may go back to a checkpoint before it.
        if (part.then === "stop" && savepoint === undefined) await run.untilEnded(job);
        if (savepoint === undefined && !(await run.hasEnded(job))) await run.cancel(job);
        else if (savepoint === undefined && (await job.ended).error === undefined) return run.require(boundsAfterFailures(options), "in the end");
        from = savepoint ?? (await run.last(job));
      }
      await run.toEnd({ parallelism: upTo(3), from });
      await run.require(boundsAfterFailures(options), "in the end");
    });
  } catch (error) {
    throw broken(`seed ${seed} (repeat it with firstSeed: ${seed}, seeds: 1), with ${kills.map(killText).join(", ")}, parts ${inspect(parts, { breakLength: Infinity })}: ${(error as Error).message}`, error);
  }
}
