import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalCluster } from "./processes.js";

/* Every example prints on a cluster what it prints in one process. */
const examples = fileURLToPath(new URL("../../examples/", import.meta.url));
/** What they print depends on when, or in which order, records of several subtasks come. */
const changing = new Set(["async-enrichment.ts", "sine-wave.ts"]);

test("the examples run unchanged on two TaskManagers", async (t) => {
  const cluster = await LocalCluster.start(2, { "taskmanager.numberOfTaskSlots": "2" });
  t.after(() => cluster.stop());
  for (const name of readdirSync(examples).filter((file) => file.endsWith(".ts"))) {
    await t.test(name, async () => {
      const there = await cluster.run("run", "-q", "-m", cluster.address, "-p", "2", examples + name);
      assert.equal(there.code, 0, there.output);
      if (changing.has(name)) return;
      const here = await cluster.run("run", "-q", "-p", "2", examples + name);
      assert.deepEqual(lines(there.output), lines(here.output));
    });
  }
});

/** In the order of their text, since subtasks take turns. */
function lines(output: string): string[] {
  return output.split("\n").filter((line) => line !== "" && !line.startsWith("Job has been submitted")).map((line) => line.replace(/^\d> /, "")).sort();
}
