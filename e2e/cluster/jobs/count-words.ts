import { existsSync } from "node:fs";
import { BucketAssigners, FileSink, FileSource, ParameterTool, RollingPolicies, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";

/*
 * Numbers the lines of each key, over an exchange between all slots, into files, exactly once. A pause after every so many lines makes it last long
 * enough for failures; from line `--slow-from` on every line takes 3 ms until the file `--slow-until` is there, and longer the fewer of the `--lines` are
 * left, so that it does not end before.
 */
const parameters = ParameterTool.fromArgs(process.argv.slice(2));
const env = StreamExecutionEnvironment.getExecutionEnvironment();
const pauseEvery = parameters.getInt("pause-every", 100);
const slowFrom = parameters.getInt("slow-from", Number.MAX_SAFE_INTEGER);
const slowUntil = parameters.get("slow-until");
const lines = parameters.getInt("lines", Number.MAX_SAFE_INTEGER);
const LONGEST_WAIT_MS = 30;
const heldMs = (number: number): number => Math.min(LONGEST_WAIT_MS, (3 * (lines - slowFrom)) / (lines - number));
const isHeld = (number: number): boolean => number >= slowFrom && slowUntil !== undefined && !existsSync(slowUntil);
const clock = new Int32Array(new SharedArrayBuffer(4));

env.fromSource(FileSource.lines(parameters.required("input"), { splitSizeBytes: 4000 }), WatermarkStrategy.noWatermarks(), "Lines")
  .map((line) => {
    const [key = "", number = ""] = line.split(" ");
    if (Number(number) % pauseEvery === 0) Atomics.wait(clock, 0, 0, 20);
    if (isHeld(Number(number))) Atomics.wait(clock, 0, 0, heldMs(Number(number)));
    return { key, number: Number(number), count: 1, sum: Number(number) };
  })
  .rebalance()
  .keyBy((line) => line.key)
  .reduce((a, b) => ({ key: a.key, number: b.number, count: a.count + 1, sum: a.sum + b.number }))
  .map(({ key, count }) => `${key} ${count}`)
  .sinkTo(FileSink.lines<string>(parameters.required("output"), { bucketAssigner: BucketAssigners.basePath(), rollingPolicy: RollingPolicies.onCheckpoint() }))
  .uid("files");
await env.execute("count words");
