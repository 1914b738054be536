import assert from "node:assert/strict";
import { test } from "node:test";
import { isMillraceError, runJob, StreamExecutionEnvironment, submitJob } from "millrace";
import { MiniCluster } from "@millrace/testkit";
import { build } from "./javascript-values/job.js";
import { mutations } from "./javascript-values/mutations.js";
import { describe, groups, keys } from "./javascript-values/values.js";

/* What JavaScript can hold comes through a job unchanged: exchanges, keys, state and checkpoints, in all three ways to run one. */

const HANGS_MS = 120_000;

/** Runs a job in each way; resolves with what it printed, each line once and in order. */
const modes: Readonly<Record<string, () => Promise<{ printed: string[]; restarts: number }>>> = {
  "in this thread": () => inThisThread(false),
  "in this thread with every edge through the codec": () => inThisThread(true),
  "on worker threads": async () => {
    const log = new Printed();
    const job = await submitJob(new URL("./javascript-values/job.ts", import.meta.url), { parallelism: 2, log });
    await job.getJobExecutionResult();
    const { restarts } = await job.getMetrics();
    await job.programEnded;
    return { printed: log.lines(), restarts };
  },
};

class Printed {
  readonly #lines = new Set<string>();
  write(level: string, line: string): void {
    if (level === "print") this.#lines.add(line.replace(/^(\w+):\d+> /, "$1> "));
  }
  lines(): string[] {
    return [...this.#lines].sort();
  }
}

async function inThisThread(roundTripEdges: boolean): Promise<{ printed: string[]; restarts: number }> {
  const log = new Printed();
  const cluster = new MiniCluster({ log, roundTripEdges, config: { "parallelism.default": 2 } });
  cluster.start();
  try {
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    build(env);
    const job = await env.executeAsync();
    await job.getJobExecutionResult();
    return { printed: log.lines(), restarts: (await job.getMetrics()).restarts };
  } finally {
    await cluster.stop();
  }
}

function expected(): string[] {
  const values = Object.entries(groups).flatMap(([group, all]) => all.map((make, index) => {
    const text = describe(make());
    return `value> ${group} ${index} ${[text, text, text, text].join(" | ")}`;
  }));
  return values.sort();
}

for (const [mode, run] of Object.entries(modes)) {
  test(`values come through map, key, state, checkpoint and sink as they were, ${mode}`, { timeout: HANGS_MS }, async () => {
    const { printed, restarts } = await run();
    assert.equal(restarts, 1, "the values were to be read from a checkpoint");
    assert.deepEqual(printed.filter((line) => line.startsWith("value>")), expected());
    // A running count per key: the last one says how many records had that key.
    const counts = new Map<string, number>();
    for (const [, id, count] of printed.flatMap((line) => { const match = /^key> (\d+) (\d+)$/.exec(line); return match === null ? [] : [match]; })) counts.set(id!, Math.max(counts.get(id!) ?? 0, Number(count)));
    assert.deepEqual(Object.fromEntries(counts), Object.fromEntries(keys.map((same, id) => [String(id), same.length])));
  });
}

/** A `TypeError` at the line that changes the record, blamed on the operator that has it. */
function checkFound(thrown: unknown): void {
  assert.ok(isMillraceError(thrown) && thrown.code === "JOB_FAILED", String(thrown));
  const error = thrown.cause;
  assert.ok(isMillraceError(error) && error.code === "USER_FUNCTION_FAILED", String(error));
  assert.equal(error.location.operator, "Changer");
  const cause = error.cause as Error;
  assert.equal(cause.name, "TypeError");
  assert.match(cause.message, /read only|not extensible/);
  assert.match(cause.stack ?? "", /mutations\.ts:\d+:\d+/);
}

async function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}

for (const [name, mutate] of Object.entries(mutations)) {
  test(`pipeline.freeze-records: a record that is changed (${name})`, { timeout: HANGS_MS }, async () => {
    const failures: unknown[] = [];
    for (const compiled of [true, false]) {
      for (const roundTripEdges of [true, false]) {
        const cluster = new MiniCluster({ roundTripEdges, config: { "pipeline.freeze-records": true, "pipeline.chain-compiler.enabled": compiled } });
        cluster.start();
        failures.push(await failureOf(async () => {
          const env = StreamExecutionEnvironment.getExecutionEnvironment();
          mutate(env);
          await env.execute();
        }));
        await cluster.stop();
      }
    }
    const url = new URL("./javascript-values/mutations.ts", import.meta.url);
    failures.push(await failureOf(() => runJob(url, { args: [name], config: { "pipeline.freeze-records": true }, log: new Printed() })));
    for (const failure of failures) {
      if (name === "never") assert.equal(failure, undefined);
      else checkFound(failure);
    }
  });
}
