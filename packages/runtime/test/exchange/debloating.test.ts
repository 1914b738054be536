import assert from "node:assert/strict";
import { test } from "node:test";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { TestJob } from "../support/test-job.js";

const prefix = "taskmanager.network.memory.buffer-debloat";
/** Of each of the two sinks, a second. */
const RATE = 1000;
const TARGET_MS = 1000;

interface SlowJob {
  readonly job: TestJob;
  /** Records that have left the source and are in no sink. */
  readonly onTheWay: () => number;
  readonly consumed: () => number;
}

/** Two sinks that take {@link RATE} records of about a hundred bytes a second each, behind a source that has always more. */
function slowJob(enabled: boolean, slots: number): SlowJob {
  let produced = 0;
  let consumed = 0;
  const builder = new GraphBuilder({ [`${prefix}.enabled`]: enabled, [`${prefix}.target`]: TARGET_MS, "execution.buffer-timeout.interval": 10_000 });
  const source = builder.add(listSource({ splits: [Array.from({ length: 200_000 }, (_, i) => i)], chunk: () => 10 }));
  const text = "x".repeat(90);
  const records = builder.add({ type: "map", fn: (value: number) => {
    produced++;
    return `${text} ${value}`;
  } }, [{ from: source }]);
  const sink = {
    createWriter: () => {
      let own = 0;
      return {
        write: () => {
          consumed++;
          return ++own % 10 === 0 ? new Promise<void>((resolve) => void job.clock.setTimer(10_000 / RATE, resolve)) : undefined;
        },
        flush: () => undefined, close: () => undefined,
      };
    },
  };
  builder.add({ type: "sink", sink: sink as never }, [{ from: records, partitioner: { kind: "rebalance" } }], { parallelism: 2 });
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), slots });
  job.start();
  return { job, onTheWay: () => produced - consumed, consumed: () => consumed };
}

/** Runs until it has settled. @returns records on the way, those processed while a checkpoint's barriers went through, and the metrics of the sinks */
async function underBackPressure(enabled: boolean, slots: number): Promise<{ onTheWay: number; behindBarrier: number; metrics: Record<string, number>[] }> {
  const { job, onTheWay, consumed } = slowJob(enabled, slots);
  await job.clock.runFor(40_000);
  const settled = onTheWay();
  const before = consumed();
  await job.checkpoint(1);
  const behindBarrier = consumed() - before;
  const metrics = job.events.flatMap((event) => (event.type === "metrics" && event.values["debloatedBufferSize"] !== undefined ? [event.values] : []));
  await job.cancel();
  return { onTheWay: settled, behindBarrier, metrics };
}

// In one slot both channels are local; with two, one of them is remote.
for (const slots of [1, 2]) {
  test(`what waits before slow tasks shrinks to what they take in the target time, and so does the way of a barrier, ${slots} slots`, async () => {
    const wanted = (2 * RATE * TARGET_MS) / 1000;
    const off = await underBackPressure(false, slots);
    assert.ok(off.onTheWay > 5 * wanted, `${off.onTheWay} records are on the way without`);
    assert.ok(off.behindBarrier > 5 * wanted, `a barrier waits for ${off.behindBarrier} without`);
    assert.equal(off.metrics.length, 0);
    const on = await underBackPressure(true, slots);
    assert.ok(on.onTheWay > 0.4 * wanted && on.onTheWay < 1.4 * wanted, `${on.onTheWay} records are on the way, wanted are ${wanted}`);
    assert.ok(on.behindBarrier > 0.4 * wanted && on.behindBarrier < 1.4 * wanted, `a barrier waits for ${on.behindBarrier}, wanted are ${wanted}`);
    const last = on.metrics.at(-1)!;
    assert.ok(last["debloatedBufferSize"]! > 256 && last["debloatedBufferSize"]! < 30_000, `${last["debloatedBufferSize"]}`);
    // Of one period alone it says little.
    const estimates = on.metrics.slice(-21).map((values) => values["estimatedTimeToConsumeBuffersMs"]!).sort((a, b) => a - b);
    assert.ok(estimates[10]! > 500 && estimates[10]! < 1500, estimates.join());
  });
}

test("records larger than the smallest buffers go through one by one, and the result is the same", async () => {
  const builder = new GraphBuilder({
    [`${prefix}.enabled`]: true, [`${prefix}.target`]: 1, [`${prefix}.period`]: 1, [`${prefix}.samples`]: 1, "taskmanager.memory.min-segment-size": 1,
    "taskmanager.network.memory.buffers-per-channel": 1, "taskmanager.network.batch-size": 16,
  });
  const values = Array.from({ length: 3000 }, (_, i) => `${i} ${"x".repeat(i % 300)}`);
  const source = builder.add(listSource({ splits: [values], chunk: () => 100 }));
  const out: string[] = [];
  const sink = {
    createWriter: () => ({
      write: (value: string) => {
        out.push(value);
        return out.length % 7 === 0 ? new Promise<void>((resolve) => void job.clock.setTimer(3, resolve)) : undefined;
      },
      flush: () => undefined, close: () => undefined,
    }),
  };
  builder.add({ type: "sink", sink: sink as never }, [{ from: source, partitioner: { kind: "rebalance" } }], { parallelism: 3 });
  const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), slots: 2 });
  job.start();
  await job.finish();
  assert.deepEqual(new Set(out), new Set(values));
  assert.equal(out.length, values.length);
  const buffers = job.events.flatMap((event) => (event.type === "metrics" ? [event.values["numBuffersOut"] ?? 0] : []));
  assert.ok(Math.max(...buffers) > 1500, `${Math.max(...buffers)} buffers; most records had one of their own`);
});
