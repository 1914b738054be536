import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { BucketAssigners, FileSink, FileSource, StreamExecutionEnvironment, WatermarkStrategy } from "millrace";
import { S3FileSystem } from "@millrace/fs-s3";
import { MiniCluster, seededRandom } from "@millrace/testkit";
import { HttpFaultProxy, type HttpFault } from "../tools/services/proxy/http-fault-proxy.js";
import { S3Server, s3Missing } from "../tools/services/s3/s3-server.js";

/*
 * Files, checkpoints and savepoints in a store that speaks S3, while it answers 500 and 503, loses answers and breaks transfers off, is killed, and the
 * job fails: every record once.
 */
const skip = s3Missing() ?? false;
const variables = ["AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
const saved = variables.map((name) => [name, process.env[name]] as const);
const cluster = new MiniCluster({
  config: {
    "execution.checkpointing.interval": "100 ms", "execution.checkpointing.tolerable-failed-checkpoints": 1000, "execution.checkpointing.incremental": true,
    "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 1000, "restart-strategy.fixed-delay.delay": "20 ms",
  },
});
let server: S3Server;
let proxy: HttpFaultProxy;
let fs: S3FileSystem;

before(async () => {
  if (skip !== false) return;
  server = await S3Server.start();
  proxy = await HttpFaultProxy.start(server.port);
  Object.assign(process.env, server.environment, { AWS_ENDPOINT_URL_S3: proxy.url });
  fs = new S3FileSystem();
  cluster.start();
});
after(async () => {
  if (skip !== false) return;
  await cluster.stop();
  await proxy.stop();
  await server.remove();
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await fs.list(directory);
  return (await Promise.all(entries.map(({ path, isDirectory }) => (isDirectory ? filesBelow(path) : [path])))).flat();
}

async function linesBelow(directory: string): Promise<string[]> {
  const texts = await Promise.all((await filesBelow(directory)).map(async (path) => Buffer.from(await fs.readFile(path)).toString()));
  return texts.flatMap((text) => text.split("\n").filter((line) => line !== ""));
}

async function writeNumbers(directory: string, files: number, perFile: number): Promise<string[]> {
  await Promise.all(Array.from({ length: files }, (_, file) => fs.writeAtomic(`${directory}/${file}.txt`, Buffer.from(Array.from({ length: perFile }, (_, i) => `${file * perFile + i}\n`).join("")))));
  return Array.from({ length: files * perFile }, (_, i) => `${i}`);
}

test("files in S3 to files in S3, with checkpoints there, while store and job fail: every record once", { skip, timeout: 600_000 }, async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const random = seededRandom(seed);
  const expected = await writeNumbers("s3://millrace/in", 6, 4000);
  const faults: readonly HttpFault[] = [{ kind: "status", status: 500 }, { kind: "status", status: 503 }, { kind: "lost answer" }, { kind: "cut", afterBytes: 2000 }];
  // Each kind in its turn: how many requests there are depends on how fast the machine is.
  let untilNext = 1;
  proxy.fault = () => {
    if (--untilNext > 0) return undefined;
    untilNext = 1 + Math.floor(random() * 16);
    return faults[proxy.faults % faults.length];
  };

  let seen = 0;
  let failures = 0;
  let killed: Promise<void> | undefined;
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(2);
  env.configure({ "execution.checkpointing.dir": "s3://millrace/checkpoints" });
  env.fromSource(FileSource.lines("s3://millrace/in/*.txt"), WatermarkStrategy.noWatermarks(), "in")
    .rebalance()
    .map((line) => {
      if (++seen > 8000) {
        killed ??= server.process.stop().then(() => server.process.start());
      }
      if (failures < 3 && seen > (failures + 1) * 5000) {
        failures++;
        throw new Error("as planned");
      }
      return line;
    })
    .sinkTo(FileSink.lines("s3://millrace/out", { bucketAssigner: (line: string) => `bucket=${Number(line) % 3}` }));
  await env.execute();
  await killed;
  proxy.fault = () => undefined;

  assert.equal(failures, 3);
  assert.ok(proxy.faults >= faults.length, `${proxy.faults} faults`);
  assert.deepEqual((await linesBelow("s3://millrace/out")).sort(), expected.sort());
  assert.deepEqual(await (await fs.stagedFiles()).list("s3://millrace/out"), [], "an upload was left open");
  assert.deepEqual(await filesBelow("s3://millrace/checkpoints"), [], "checkpoints go with their job");
});

test("a job goes on from a savepoint in S3 at another parallelism", { skip, timeout: 600_000 }, async () => {
  const expected = await writeNumbers("s3://millrace/numbers", 4, 3000);
  let read = 0;
  let wanted = Number.NaN;
  let allRead: () => void = () => undefined;
  const build = (parallelism: number, from?: string): StreamExecutionEnvironment => {
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setParallelism(parallelism);
    env.configure({ "execution.checkpointing.dir": "s3://millrace/checkpoints", "pipeline.max-parallelism": 16, ...(from === undefined ? {} : { "execution.state-recovery.path": from }) });
    env.fromSource(FileSource.lines("s3://millrace/numbers").monitorContinuously("50 ms"), WatermarkStrategy.noWatermarks(), "in").uid("in")
      .map((line) => {
        if (++read === wanted) allRead();
        return line;
      })
      .keyBy((line) => Number(line) % 100).reduce((sum, line) => `${Number(sum) + Number(line)}`).uid("sums")
      .sinkTo(FileSink.lines("s3://millrace/sums", { bucketAssigner: BucketAssigners.basePath() })).uid("out");
    return env;
  };
  const client = await build(2).executeAsync();
  await cluster.job(client).checkpointsCompleted(3);
  const savepoint = await client.stopWithSavepoint({ directory: "s3://millrace/savepoints" });
  assert.match(savepoint, /^s3:\/\/millrace\/savepoints\//);
  await fs.writeAtomic("s3://millrace/numbers/more.txt", Buffer.from(Array.from({ length: 100 }, (_, i) => `${12_000 + i}\n`).join("")));
  read = 0;
  const all = new Promise<void>((resolve) => (allRead = resolve));
  // What the savepoint does not hold yet, and the new file.
  wanted = expected.length + 100 - (await linesBelow("s3://millrace/sums")).length;
  const next = await build(3, savepoint).executeAsync();
  await all;
  await next.stopWithSavepoint({ directory: "s3://millrace/savepoints", drain: true });

  const results = (await linesBelow("s3://millrace/sums")).map(Number);
  assert.equal(results.length, expected.length + 100, "a sum per record");
  const sums = Array.from({ length: 100 }, (_, key) => Array.from({ length: 121 }, (_, i) => key + 100 * i).reduce((a, b) => a + b, 0));
  assert.deepEqual(sums.filter((sum) => !results.includes(sum)), []);
});
