import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { installExecutor, type JobClient, type JobExecutionResult, type Pipeline, type PipelineExecutor } from "@millrace/graph";
import { StreamExecutionEnvironment } from "../src/index.js";

afterEach(() => installExecutor(undefined as never));

/** An executor whose job does what the test says. */
class ScriptedExecutor implements PipelineExecutor {
  readonly pipelines: Pipeline[] = [];
  cancelled = 0;
  finish!: (result: JobExecutionResult) => void;
  fail!: (error: unknown) => void;
  readonly onceValues = new Map<string, unknown>();

  async execute(pipeline: Pipeline): Promise<JobClient> {
    this.pipelines.push(pipeline);
    const result = new Promise<JobExecutionResult>((resolve, reject) => {
      this.finish = resolve;
      this.fail = reject;
    });
    return { jobId: "1", getJobExecutionResult: () => result, cancel: async () => void this.cancelled++ } as unknown as JobClient;
  }
  onceValue(name: string): { readonly value: unknown } | undefined {
    return this.onceValues.has(name) ? { value: this.onceValues.get(name) } : undefined;
  }
  /** Hands values to the only collector, as a sink writer does. */
  collect(values: readonly unknown[], firstIndex?: number, subtask = 0): void {
    const [take] = [...this.pipelines.at(-1)!.collectors!.values()];
    take!([{ firstIndex, values }], subtask);
  }
}
const result: JobExecutionResult = { jobId: "1", jobName: "x", netRuntimeMs: 1, accumulators: {} };
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function scripted(): { readonly env: StreamExecutionEnvironment; readonly executor: ScriptedExecutor } {
  const executor = new ScriptedExecutor();
  installExecutor(executor);
  return { env: StreamExecutionEnvironment.getExecutionEnvironment(), executor };
}

test("without an executor nothing runs, and the error says what to import", async () => {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.fromData(1).print();
  await assert.rejects(env.execute(), { code: "EXECUTOR_MISSING", hint: /millrace/ });
});

test("execute resolves with the result and tells the listeners", async () => {
  const { env, executor } = scripted();
  const told: string[] = [];
  env.registerJobListener({ onJobSubmitted: (client) => told.push(`submitted ${client?.jobId}`), onJobExecuted: (done, error) => told.push(`executed ${done?.jobName ?? error}`) });
  env.fromData(1).print();
  const running = env.execute("mine");
  await settled();
  executor.finish(result);
  assert.equal(await running, result);
  assert.equal(executor.pipelines[0]!.jobName, "mine");
  env.fromData(2).print();
  const failing = env.execute();
  await settled();
  executor.fail("the reason");
  await assert.rejects(failing, (error) => error === "the reason");
  assert.deepEqual(told, ["submitted 1", "executed x", "submitted 1", "executed the reason"]);
});

test("executeAndCollect resolves with every record in order", async () => {
  const { env, executor } = scripted();
  const all = env.fromData(1, 2, 3).map((n) => n * 2).executeAndCollect();
  await settled();
  executor.collect([2, 4]);
  executor.collect([6]);
  executor.finish(result);
  assert.deepEqual(await all, [2, 4, 6]);
  const sink = executor.pipelines[0]!.graph.nodes.at(-1)!;
  assert.deepEqual([sink.spec.type, sink.name, sink.parallelism], ["sink", "Collect", 1]);
});

test("a limit cancels the job once it is reached", async () => {
  const { env, executor } = scripted();
  const some = env.fromSequence(0, 100).executeAndCollect(3);
  await settled();
  executor.collect([0, 1, 2, 3, 4]);
  assert.deepEqual(await some, [0, 1, 2]);
  assert.equal(executor.cancelled, 1);
  await assert.rejects(env.fromData(1).executeAndCollect(0), { code: "LIMIT_INVALID" });
});

test("a failed job fails the loop, after the records that came", async () => {
  const { env, executor } = scripted();
  const seen: number[] = [];
  const loop = (async () => {
    for await (const n of env.fromSequence(0, 9).collectAsync()) seen.push(n);
  })();
  await settled();
  executor.collect([0, 1]);
  executor.fail(new Error("it broke"));
  await assert.rejects(loop, /it broke/);
  assert.deepEqual(seen, [0, 1]);
});

test("leaving a loop over a job that somebody else started does not cancel it", async () => {
  const { env, executor } = scripted();
  const records = env.fromSequence(0, 9).collectAsync();
  await env.executeAsync();
  executor.collect([0, 1]);
  for await (const n of records) if (n === 0) break;
  assert.equal(executor.cancelled, 0);
  assert.equal(executor.pipelines.length, 1);
  assert.throws(() => records[Symbol.asyncIterator](), { code: "COLLECT_TAKEN" });
});

test("a commit that comes again brings nothing twice", async () => {
  const { env, executor } = scripted();
  const all = env.fromSequence(0, 9).executeAndCollect();
  await settled();
  executor.collect([0, 1, 2], 0);
  executor.collect([0, 1, 2], 0);
  executor.collect([2, 3, 4], 2);
  executor.collect([5], 5);
  executor.finish(result);
  assert.deepEqual(await all, [0, 1, 2, 3, 4, 5]);
});

test("once computes at planning and is handed the value afterwards", async () => {
  const { env, executor } = scripted();
  let calls = 0;
  assert.equal(await env.once("seed", async () => ++calls), 1);
  assert.equal(await env.once("seed", async () => ++calls), 1);
  env.fromData(1).print();
  await env.executeAsync();
  assert.deepEqual([...executor.pipelines[0]!.once], [["seed", 1]]);
  executor.onceValues.set("other", undefined);
  assert.equal(await env.once("other", () => ++calls), undefined);
  assert.equal(calls, 1);
});

test("cached files have one path per name", () => {
  const { env } = scripted();
  env.registerCachedFile("/data/rules.json", "rules");
  assert.throws(() => env.registerCachedFile("/x", "rules"), { code: "CACHED_FILE_EXISTS" });
  env.fromData(1).print();
  assert.deepEqual(env.pipeline().cachedFiles, { rules: "/data/rules.json" });
});
