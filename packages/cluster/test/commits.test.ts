import assert from "node:assert/strict";
import { test } from "node:test";
import { WatermarkStrategy, type Sink } from "@millrace/core";
import { DataGeneratorSource, RateLimiterStrategy } from "@millrace/datastream";
import { VirtualTimeEnvironment } from "@millrace/testkit";

test("commits that take longer than checkpoints come one after the other, each committable once", async () => {
  const virtual = new VirtualTimeEnvironment({ config: { "execution.checkpointing.interval": 10, "parallelism.default": 1 } });
  const { clock } = virtual.time;
  const committed: number[] = [];
  let prepared = 0;
  let running = 0;
  let most = 0;
  const sink: Sink<number, number> = {
    createWriter: () => ({ write() {}, flush() {}, close() {}, prepareCommit: () => [prepared++] }) as never,
    createCommitter: () => ({
      commit: async (requests) => {
        most = Math.max(most, ++running);
        await new Promise<void>((resolve) => void clock.setTimer(35, resolve));
        committed.push(...requests.map(({ committable }) => committable));
        running--;
      },
      close: () => assert.equal(running, 0, "closed while it commits"),
    }),
  };
  virtual.env.fromSource(new DataGeneratorSource((index) => index, 300, RateLimiterStrategy.perSecond(1000)), WatermarkStrategy.noWatermarks<number>(), "numbers").sinkTo(sink);
  await virtual.execute();
  assert.equal(most, 1);
  assert.ok(prepared > 10);
  assert.deepEqual(committed, Array.from({ length: prepared }, (_, index) => index));
});
