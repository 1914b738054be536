import assert from "node:assert/strict";
import { test } from "node:test";
import { Configuration, allOptions } from "@millrace/core";
import { VirtualClock } from "@millrace/testkit";
import { createRestartStrategy } from "../src/index.js";

function strategy(config: Record<string, unknown>, clock = new VirtualClock(), random = 0.5): { onFailure(): number | undefined; clock: VirtualClock } {
  const created = createRestartStrategy(Configuration.of(config, allOptions), clock, { next: () => random });
  return { onFailure: () => created.onFailure(), clock };
}

test("without checkpointing nothing is restarted unless a strategy is named", () => {
  assert.equal(strategy({}).onFailure(), undefined);
  assert.equal(strategy({ "execution.checkpointing.interval": "1 s" }).onFailure(), 1000);
  assert.equal(strategy({ "restart-strategy.type": "fixed-delay" }).onFailure(), 1000);
  assert.equal(strategy({ "restart-strategy.type": "none", "execution.checkpointing.interval": "1 s" }).onFailure(), undefined);
});

test("fixed-delay restarts so many times", () => {
  const fixed = strategy({ "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 2, "restart-strategy.fixed-delay.delay": "3 s" });
  assert.deepEqual([fixed.onFailure(), fixed.onFailure(), fixed.onFailure()], [3000, 3000, undefined]);
});

test("failure-rate gives up when failures come too close together", () => {
  const config = {
    "restart-strategy.type": "failure-rate", "restart-strategy.failure-rate.max-failures-per-interval": 2,
    "restart-strategy.failure-rate.failure-rate-interval": "10 s", "restart-strategy.failure-rate.delay": "1 s",
  };
  const slow = strategy(config);
  for (let i = 0; i < 10; i++) {
    assert.equal(slow.onFailure(), 1000);
    slow.clock.moveTo(slow.clock.nowMs() + 6000);
  }
  const fast = strategy(config);
  assert.deepEqual([fast.onFailure(), fast.onFailure(), fast.onFailure()], [1000, 1000, undefined]);
});

test("exponential-delay grows to its limit, varies by the jitter, and starts anew after a quiet time", () => {
  const config = {
    "restart-strategy.type": "exponential-delay", "restart-strategy.exponential-delay.initial-backoff": "1 s",
    "restart-strategy.exponential-delay.backoff-multiplier": 2, "restart-strategy.exponential-delay.max-backoff": "5 s",
    "restart-strategy.exponential-delay.reset-backoff-threshold": "1 min",
  };
  const growing = strategy(config);
  assert.deepEqual([1, 2, 3, 4, 5].map(() => growing.onFailure()), [1000, 2000, 4000, 5000, 5000]);
  growing.clock.moveTo(65_000);
  assert.equal(growing.onFailure(), 1000);
  assert.equal(strategy(config, new VirtualClock(), 0).onFailure(), 900);
  assert.equal(strategy(config, new VirtualClock(), 1).onFailure(), 1100);
  const limited = strategy({ ...config, "restart-strategy.exponential-delay.attempts-before-reset-backoff": 1 });
  assert.deepEqual([limited.onFailure(), limited.onFailure()], [1000, undefined]);
});
