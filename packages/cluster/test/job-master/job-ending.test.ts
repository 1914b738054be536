import assert from "node:assert/strict";
import { test } from "node:test";
import { Configuration, allOptions } from "@millrace/core";
import type { CheckpointStore } from "../../src/checkpoint/checkpoint-store.js";
import type { CompletedCheckpoint } from "../../src/checkpoint/completed-checkpoint-store.js";
import { JobEnding } from "../../src/job-master/job-ending.js";
import type { JobMasterInit } from "../../src/job-master/job-master-init.js";

for (const [retention, remaining] of [["RETAIN_ON_CANCELLATION", 1], ["DELETE_ON_CANCELLATION", 0]] as const) {
  test(`a job that is cancelled while a checkpoint becomes its own does with it as ${retention} says`, async () => {
    // Simulated seed 252: whether to retain was decided before the checkpoint was claimed, and it was deleted afterwards.
    const kept: CompletedCheckpoint[] = [];
    let claim!: () => void;
    const claimed = new Promise<void>((resolve) => {
      claim = () => {
        store.add({ path: "/savepoints/one", external: false, claimed: true } as CompletedCheckpoint);
        resolve();
      };
    });
    const store: CheckpointStore = {
      get latest() {
        return kept.at(-1);
      },
      all: kept,
      add: (checkpoint) => void kept.push(checkpoint),
      // Behind what is being written, as in a store of several leaders.
      discardAll: async () => {
        await claimed;
        kept.splice(0);
      },
      deleteFiles: async () => undefined,
    };
    const init = { checkpointDirectory: "/checkpoints/job", temporaryDirectory: "/temporary/job" } as JobMasterInit;
    const ending = new JobEnding(init, Configuration.of({ "execution.checkpointing.externalized-checkpoint-retention": retention }, allOptions), store);
    void ending.after(claimed);
    const decided = ending.decide({ status: "CANCELED" });
    // Everything that does not wait for the claim is done by then.
    await new Promise((resolve) => setImmediate(resolve));
    claim();
    await decided;
    assert.equal(kept.length, remaining);
  });
}
