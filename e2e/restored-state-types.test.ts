import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  DataGeneratorSource, isMillraceError, ListStateDescriptor, RateLimiterStrategy, StreamExecutionEnvironment, Types, ValueStateDescriptor, WatermarkStrategy,
  type KeyedProcessContext, type KeyedProcessFunction, type RuntimeContext, type ValueState,
} from "millrace";
import { MiniCluster } from "@millrace/testkit";

/* State that is restored as another type is refused with both types: declared ones before a record is read, inferred ones when they are first used. */

const HANGS_MS = 60_000;
const directory = mkdtempSync(join(tmpdir(), "millrace-restored-"));
after(() => rmSync(directory, { recursive: true }));

interface Job {
  readonly open: (context: RuntimeContext) => unknown;
  readonly update: (state: any, value: number) => void;
}

class Keeper implements KeyedProcessFunction<number, number, string> {
  readonly #job: Job;
  readonly #seen: unknown[];
  #state: unknown;
  constructor(job: Job, seen: unknown[]) {
    this.#job = job;
    this.#seen = seen;
  }
  open(context: RuntimeContext): void {
    this.#state = this.#job.open(context);
  }
  processElement(value: number, _context: KeyedProcessContext<number>): void {
    this.#seen.push(value);
    this.#job.update(this.#state, value);
  }
}

/** Runs a job until it has a checkpoint, from another one's if given; cancels it. */
async function checkpointOf(job: Job, from?: string): Promise<{ path: string; seen: unknown[] }> {
  const cluster = new MiniCluster({
    config: {
      "execution.checkpointing.interval": "1 h", "execution.checkpointing.dir": directory, "restart-strategy.type": "none",
      "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION", ...(from === undefined ? {} : { "execution.state-recovery.path": from }),
    },
  });
  cluster.start();
  try {
    const seen: unknown[] = [];
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    const numbers = new DataGeneratorSource((index) => index, Number.POSITIVE_INFINITY, RateLimiterStrategy.perSecond(500));
    env.fromSource(numbers, WatermarkStrategy.noWatermarks(), "numbers").uid("numbers").keyBy((n) => n % 3).process(() => new Keeper(job, seen)).name("Keeper").uid("keeper").discard();
    const running = cluster.job(await env.executeAsync());
    const failed = running.getJobExecutionResult().then(() => assert.fail("an unbounded job ended"));
    failed.catch(() => undefined);
    while (seen.length < 9) await Promise.race([failed, new Promise((resolve) => setTimeout(resolve, 1))]);
    const path = await Promise.race([running.triggerCheckpoint(), failed]);
    await running.cancel();
    await failed.catch(() => undefined);
    return { path, seen };
  } finally {
    await cluster.stop();
  }
}

const value = <T>(type: ConstructorParameters<typeof ValueStateDescriptor<T>>[1], next: (held: T | undefined, n: number) => T): Job => ({
  open: (context) => context.getState(new ValueStateDescriptor<T>("held", type)),
  update: (state: ValueState<T>, n) => state.update(next(state.value(), n)),
});

async function refused(job: Job, from: string): Promise<Error & { code: string; location: Record<string, unknown>; hint: string | undefined }> {
  try {
    await checkpointOf(job, from);
  } catch (error) {
    assert.ok(isMillraceError(error) && error.code === "JOB_FAILED", String(error));
    return error.cause as never;
  }
  assert.fail("the state was taken");
}

test("declared types that do not fit are refused before a record is read", { timeout: HANGS_MS }, async () => {
  const written = await checkpointOf(value(Types.object({ count: Types.double, name: Types.string }), (held, n) => ({ count: (held?.count ?? 0) + n, name: "x" })));
  let opened = 0;
  let updates = 0;
  const other: Job = {
    open: (context) => (opened++, context.getState(new ValueStateDescriptor("held", Types.object({ count: Types.string })))),
    update: () => void updates++,
  };
  const error = await refused(other, written.path);
  assert.equal(error.code, "STATE_TYPE_INCOMPATIBLE");
  assert.match(error.message, /"held"/);
  assert.match(error.message, /count: double/);
  assert.match(error.message, /count: string/);
  assert.equal(error.location["operator"], "Keeper");
  assert.deepEqual([opened, updates], [1, 0]);
});

test("fields may go, and come when they are optional", { timeout: HANGS_MS }, async () => {
  const written = await checkpointOf(value(Types.object({ count: Types.int, name: Types.string }), (held) => ({ count: (held?.count ?? 0) + 1, name: "x" })));
  const found: unknown[] = [];
  const changed = value(Types.object({ count: Types.double, note: Types.optional(Types.string) }), (held, n) => {
    found.push(held);
    return { count: (held?.count ?? 0) + 0.5, note: String(n) };
  });
  await checkpointOf(changed, written.path);
  const { count, ...rest } = found[0] as { count: number };
  assert.ok(count >= 3, String(count));
  assert.deepEqual(rest, {});
});

test("another kind of state under the same name is refused", { timeout: HANGS_MS }, async () => {
  const written = await checkpointOf(value<number>(undefined, (held, n) => (held ?? 0) + n));
  const list: Job = { open: (context) => context.getListState(new ListStateDescriptor<number>("held")), update: (state: { add(n: number): void }, n) => state.add(n) };
  const error = await refused(list, written.path);
  assert.equal(error.code, "STATE_DESCRIPTOR_CONFLICT");
  assert.match(error.message, /"held".*value.*list/);
});

test("inferred types that do not fit a declared one are refused at first use", { timeout: HANGS_MS }, async () => {
  const written = await checkpointOf(value<{ count: number }>(undefined, (held) => ({ count: (held?.count ?? 0) + 1 })));
  const error = await refused(value(Types.string, (held, n) => `${held ?? ""}${n}`), written.path);
  assert.equal(error.code, "STATE_TYPE_INCOMPATIBLE");
  assert.match(error.message, /"held"/);
  assert.match(error.message, /string/);
  assert.equal(error.location["operator"], "Keeper");
});

