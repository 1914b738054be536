// The table of docs/guarantees.md: every source with every sink, in a job that fails again and again. What is seen must be what the table says, no less and no more.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { MiniCluster } from "@millrace/testkit";
import { functionFactory, StreamExecutionEnvironment, type CheckpointedFunction } from "millrace";
import { sinks } from "./guarantees/sinks.js";
import { EXPECTED, sources } from "./guarantees/sources.js";

const table = JSON.parse(readFileSync(fileURLToPath(new URL("guarantees/table.json", import.meta.url)), "utf8")) as {
  readonly sources: Readonly<Record<string, string>>; readonly sinks: Readonly<Record<string, string>>; readonly cells: Readonly<Record<string, Readonly<Record<string, string>>>>;
};
/** The job fails as soon as so many records have passed, in all attempts, and some since the last checkpoint. */
const FAIL_AFTER = [30, 75, 110];
const SINCE_CHECKPOINT = 1;

const miniCluster = new MiniCluster({
  log: { write() {} },
  config: { "execution.checkpointing.interval": 20, "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 100, "restart-strategy.fixed-delay.delay": 10 },
});
before(() => miniCluster.start());
after(() => miniCluster.stop());

class FailNowAndThen implements CheckpointedFunction {
  readonly #failures: { passed: number; count: number };
  #sinceCheckpoint = 0;

  constructor(failures: { passed: number; count: number }) {
    this.#failures = failures;
  }
  initializeState(): void {}
  snapshotState(): void {
    this.#sinceCheckpoint = 0;
  }
  map(record: string): string {
    this.#failures.passed++;
    if (++this.#sinceCheckpoint > SINCE_CHECKPOINT && this.#failures.passed >= (FAIL_AFTER[this.#failures.count] ?? Number.POSITIVE_INFINITY)) {
      this.#failures.count++;
      throw new Error("as planned");
    }
    return record;
  }
}

async function seen(source: string, sink: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-guarantees-"));
  const input = await sources[source]!.open(directory);
  try {
    const output = sinks[sink]!(directory);
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    const failures = { passed: 0, count: 0 };
    output.attach(input.stream(env).map<string>(functionFactory(() => new FailNowAndThen(failures))));
    await env.execute();
    assert.equal(failures.count, FAIL_AFTER.length, "the job did not fail as planned");
    const visible = output.visible();
    assert.deepEqual(visible.filter((text) => !EXPECTED.includes(text)), [], "what nobody wrote is there");
    const lost = new Set(visible).size < EXPECTED.length;
    const doubled = visible.length > new Set(visible).size;
    return lost ? (doubled ? "nothing" : "at most once") : doubled ? "at least once" : "exactly once";
  } finally {
    await input.close?.();
    rmSync(directory, { recursive: true });
  }
}

test("the table has every source and every sink", () => {
  assert.deepEqual(Object.keys(table.sources), Object.keys(sources));
  assert.deepEqual(Object.keys(table.sinks), Object.keys(sinks));
});

for (const [source, { skip, before: begin, after: end }] of Object.entries(sources)) {
  test(source, { skip: skip ?? false }, async (context) => {
    await begin?.();
    try {
      for (const sink of Object.keys(sinks)) await context.test(`${source} to ${sink}`, async () => assert.equal(await seen(source, sink), table.cells[source]![sink]));
    } finally {
      await end?.();
    }
  });
}
