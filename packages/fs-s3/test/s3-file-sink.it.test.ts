import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BucketAssigners, DataGeneratorSource, FileSink, RateLimiterStrategy, RollingPolicies, StreamExecutionEnvironment, WatermarkStrategy, type FileSinkOptions } from "millrace";
import { sinkGuarantees } from "@millrace/testkit";
import { S3Server, s3Missing } from "../../../tools/services/s3/s3-server.js";
import { S3FileSystem } from "../src/s3-file-system.js";

/*
 * The kill tests of file sinks on a real store of objects: a part for each checkpoint, and parts that wait as hidden objects until they are merged.
 */
const skip = s3Missing() ?? false;
const variables = ["AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
const saved = variables.map((name) => [name, process.env[name]] as const);
let server: S3Server;
let fs: S3FileSystem;
let cases = 0;

before(async () => {
  if (skip !== false) return;
  server = await S3Server.start();
  Object.assign(process.env, server.environment);
  fs = new S3FileSystem();
});
after(async () => {
  if (skip !== false) return;
  await server.remove();
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

/** Lines of all objects that are not hidden. */
async function visibleLines(directory: string): Promise<string[]> {
  const lines: string[] = [];
  for (const { path, isDirectory } of await fs.list(directory)) {
    if (isDirectory) continue;
    lines.push(...new TextDecoder().decode(await fs.readFile(path)).split("\n").slice(0, -1));
  }
  return lines;
}

const kinds: Readonly<Record<string, FileSinkOptions<string>>> = { "a part per checkpoint": {}, "merged parts": { compaction: { everyCheckpoints: 3 } } };

for (const [kind, options] of Object.entries(kinds)) {
  const isMerged = options.compaction !== undefined;
  const guaranteed = sinkGuarantees({
    name: `FileSink in S3, ${kind}`, guarantee: "exactly-once", time: "real", records: 80, recordsPerSecond: 100, checkpointIntervalMs: 60, visibleWithCheckpoint: !isMerged,
    open: () => {
      const directory = `s3://millrace/case-${cases++}`;
      return {
        sink: () => FileSink.lines<string>(directory, { rollingPolicy: RollingPolicies.onCheckpoint(), bucketAssigner: BucketAssigners.basePath(), ...options }),
        read: () => visibleLines(directory),
      };
    },
  });
  // What a later checkpoint has merged is gone: going back behind it is refused.
  for (const { name, run } of guaranteed) if (!isMerged || !/older retained|restored later/.test(name)) test(name, { skip, timeout: 120_000 }, run);
}

test("merged parts leave no hidden object and no upload behind", { skip, timeout: 120_000 }, async () => {
  const directory = "s3://millrace/merged";
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(1);
  env.enableCheckpointing("20 ms");
  const numbers = new DataGeneratorSource((index) => `${index}`, 200, RateLimiterStrategy.perCheckpoint(10));
  env.fromSource(numbers, WatermarkStrategy.noWatermarks<string>(), "numbers")
    .sinkTo(FileSink.lines<string>(directory, { bucketAssigner: BucketAssigners.basePath(), compaction: { everyCheckpoints: 5 } }));
  await env.execute();
  assert.deepEqual((await visibleLines(directory)).map(Number).sort((a, b) => a - b), Array.from({ length: 200 }, (_, i) => i));
  const objects = await fs.list(directory);
  assert.ok(objects.length > 1 && objects.length < 10 && objects.every(({ isDirectory }) => !isDirectory), objects.map(({ path }) => path).join(" "));
  assert.deepEqual(await (await fs.stagedFiles()).list(directory), []);
});
