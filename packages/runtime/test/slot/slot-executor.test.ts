import assert from "node:assert/strict";
import { test } from "node:test";
import { GraphBuilder } from "../support/graph-builder.js";
import { listSource } from "../support/list-source.js";
import { arraySink } from "../support/collect-sink.js";
import { TestJob } from "../support/test-job.js";

interface Event {
  readonly word: string;
  readonly count: number;
}

for (const slots of [1, 2]) {
  for (const compiled of [true, false]) {
    test(`source → map → keyBy → reduce → sink, ${slots} slots, compiled ${compiled}`, async () => {
      const out: Event[] = [];
      const builder = new GraphBuilder({ "pipeline.chain-compiler.enabled": compiled });
      const words = Array.from({ length: 5000 }, (_, i) => `word-${i % 17}`);
      const source = builder.add(listSource({ splits: [words.slice(0, 2500), words.slice(2500)], timestampOf: () => 1 }), [], { parallelism: 2 });
      const map = builder.add({ type: "map", fn: (word: string) => ({ word, count: 1 }) }, [{ from: source }], { parallelism: 2 });
      const reduce = builder.add(
        { type: "keyedReduce", fn: (a: Event, b: Event) => ({ word: a.word, count: a.count + b.count }) },
        [{ from: map, keySelector: (event: Event) => event.word }], { parallelism: 2 });
      builder.add(arraySink(out), [{ from: reduce }], { parallelism: 2 });
      const job = new TestJob({ graph: builder.graph, jobGraph: builder.jobGraph(), slots });
      job.start();
      await job.finish();
      assert.equal(out.length, 5000);
      const totals = new Map<string, number>();
      for (const { word, count } of out) totals.set(word, Math.max(totals.get(word) ?? 0, count));
      assert.equal([...totals.values()].reduce((a, b) => a + b, 0), 5000);
      assert.equal(totals.size, 17);
    });
  }
}
