import { boundsAfterFailures, boundsAfterGoingBack } from "./bounds.js";
import type { Kill } from "./kill-switch.js";
import { broken, SinkRun, type SinkJob } from "./sink-run.js";
import type { SinkGuaranteesOptions } from "./sink-under-test.js";

/** One story of jobs, by name. */
export type Story = readonly [name: string, tell: <T>(options: SinkGuaranteesOptions<T>) => Promise<unknown>];

const play = <T>(options: SinkGuaranteesOptions<T>, kills: readonly Kill[], tell: (run: SinkRun<T>) => Promise<void>): Promise<SinkRun<T>> => SinkRun.play(options, 2, kills, tell);

/** Runs a job until it is killed for good, at a commit or, without one, after a flush. In real time it may end before: then there is nothing to go on from. */
async function failForGood<T>(options: SinkGuaranteesOptions<T>, run: SinkRun<T>, parallelism: number): Promise<SinkJob | undefined> {
  const job = await run.start({ parallelism, restarts: false });
  await run.untilEnded(job);
  const { error } = await run.stage.until(job.ended);
  if (error !== undefined) return job;
  if (options.time !== "real") throw broken("the kill did not hit");
  await run.require(() => [1, 1], "without failures");
}

/** Starts a job, and resolves when half of its records have passed: two checkpoints' worth, and a few more. */
async function underWay<T>(run: SinkRun<T>, parallelism: number): Promise<SinkJob> {
  const half = Math.floor(run.records / 2);
  const job = await run.start({ parallelism, slowAfter: half });
  await run.untilPassed(job, half);
  return job;
}

export const STORIES: readonly Story[] = [
  ["an empty input", (options) => play(options, [], async (run) => {
    await run.toEnd({ parallelism: 2, records: 0 });
    await run.require(() => [0, 0], "after an empty input");
  })],

  ["more subtasks than records", (options) => play(options, [], async (run) => {
    await run.toEnd({ parallelism: 4, records: 2 });
    await run.require(() => [1, 1], "after two records", run.expected(2));
  })],

  ...([[1, 3], [3, 1], [2, 2]] as const).map(([before, after]): Story => [
    `cancelled and restored, parallelism ${before} to ${after}`,
    (options) => play(options, [], async (run) => {
      const job = await underWay(run, before);
      await run.cancel(job);
      await run.toEnd({ parallelism: after, from: await run.last(job) });
      await run.require(boundsAfterFailures(options), "after a restore");
    }),
  ]),

  ...([[1, 3], [3, 1], [2, 2]] as const).map(([before, after]): Story => [
    `failed with commits pending and restored, parallelism ${before} to ${after}`,
    // The first is hit by sinks with a committer; the others by all.
    (options) => play(options, [{ place: "before commit", at: 2 * before, dies: true }, { place: "after flush", at: 4 * before, dies: true }], async (run) => {
      const job = await failForGood(options, run, before);
      if (job === undefined) return;
      await run.toEnd({ parallelism: after, from: await run.last(job) });
      await run.require(boundsAfterFailures(options), "after a restore");
    }),
  ]),

  ["a commit whose answer is lost, and a restore elsewhere", (options) => play(options, [{ place: "after commit", at: 3, dies: true }, { place: "after flush", at: 6, dies: true }], async (run) => {
    const job = await failForGood(options, run, 2);
    if (job === undefined) return;
    await run.toEnd({ parallelism: 3, from: await run.last(job) });
    await run.require(boundsAfterFailures(options), "after a restore");
  })],

  ["restored from an older retained checkpoint", (options) => play(options, [], async (run) => {
    const most = Math.floor(run.records * 0.8);
    const job = await run.start({ parallelism: 2, slowAfter: most });
    await run.untilPassed(job, most);
    const checkpoints = await run.untilCheckpoints(job, 2);
    await run.cancel(job);
    if (checkpoints.length < 2 || (await run.checkpoints(job)).length === 0) throw broken(`only ${checkpoints.length} checkpoints were taken in time: give it more records, or fewer a second`);
    const before = await run.committed();
    await run.toEnd({ parallelism: 2, from: checkpoints[Math.floor((checkpoints.length - 1) / 2)] });
    await run.require(boundsAfterGoingBack(options, before), "after going back to an older checkpoint");
  })],

  ["started anew without a checkpoint, after a failure with commits pending", (options) => play(options, [{ place: "before commit", at: 3, dies: true }, { place: "after flush", at: 5, dies: true }], async (run) => {
    if ((await failForGood(options, run, 3)) === undefined) return;
    const before = await run.committed();
    await run.toEnd({ parallelism: 2 });
    await run.require(boundsAfterGoingBack(options, before), "after a start anew");
  })],

  ["a savepoint that is restored later", (options) => play(options, [], async (run) => {
    const job = await run.start({ parallelism: 2, slowAfter: Math.floor(run.records / 2) });
    await run.untilPassed(job, Math.floor(run.records / 3));
    const savepoint = await run.stage.until(job.client.triggerSavepoint());
    await run.untilPassed(job, Math.floor(run.records / 3));
    await run.cancel(job);
    const before = await run.committed();
    await run.toEnd({ parallelism: 1, from: savepoint });
    await run.require(boundsAfterGoingBack(options, before), "after going back to a savepoint");
  })],

  ["stopped behind a savepoint and restored", (options) => play(options, [], async (run) => {
    const job = await underWay(run, 2);
    const savepoint = await run.stop(job);
    if (savepoint === undefined) throw broken("the job could not be stopped behind a savepoint");
    const stoppedWith = await run.visible();
    if (options.guarantee === "exactly-once" && options.visibleWithCheckpoint !== false && stoppedWith.length !== run.passed) throw broken(`${run.passed} records passed before the stop, and ${stoppedWith.length} are visible behind it`);
    await run.toEnd({ parallelism: 3, from: savepoint });
    await run.require(boundsAfterFailures(options), "after a stop and a restore");
  })],

  ["stopped with drain", (options) => play(options, [], async (run) => {
    const job = await underWay(run, 2);
    if ((await run.stop(job, true)) === undefined) throw broken("the job could not be stopped with drain");
    await run.require(() => [0, 1], "after a drain");
    const visible = await run.visible();
    if (visible.length !== run.passed) throw broken(`${run.passed} records passed before the drain, and ${visible.length} are visible after it`);
  })],

  ["a long outage of the external system", (options) => play(options, [], async (run) => {
    const { outage } = run.world;
    if (outage === undefined) return;
    const job = await underWay(run, 2);
    await outage.begin();
    await run.stage.wait(3_000);
    await outage.end();
    await run.untilEnded(job);
    const { error } = await run.stage.until(job.ended);
    if (error !== undefined) throw error;
    await run.require(boundsAfterFailures(options), "after an outage");
  })],
];
