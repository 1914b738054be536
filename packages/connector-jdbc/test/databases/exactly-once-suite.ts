import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import type { MessageFault } from "../../../../tools/services/proxy/message-faults.js";
import { JdbcSink, type JdbcSinkOptions } from "../../src/index.js";
import { expectFailure } from "./failures.js";
import { runningSuite } from "./running-suite.js";
import type { DatabaseUnderTest } from "./test-database.js";

const COUNT = 6000;

/** Exactly-once sinks whose connections break and whose server crashes at each step of the protocol. */
export function exactlyOnceSuite(underTest: DatabaseUnderTest): void {
  const { skip, marks } = underTest;
  const { database } = runningSuite(underTest, { "execution.checkpointing.interval": "100 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 50, "restart-strategy.fixed-delay.delay": "10 ms" });

  const sinkOf = (table: string, more: Partial<JdbcSinkOptions<number>> = {}): JdbcSink<number> =>
    JdbcSink.of<number>({ connection: database().connection, table, columns: { id: (id) => id }, deliveryGuarantee: "exactly-once", exactlyOnce: { transactionIdPrefix: table }, execution: { batchSize: 200 }, ...more });

  const expectEachOnce = async (table: string): Promise<void> => {
    const [counts] = await database().sql(`SELECT count(*), count(DISTINCT id), min(id), max(id) FROM ${table}`);
    assert.deepEqual(counts!.map(Number), [COUNT, COUNT, 0, COUNT - 1]);
    assert.deepEqual((await database().prepared()).filter((name) => name.startsWith(table)), [], "a transaction was left open");
  };

  test("no row is lost or doubled while the job fails again and again", { skip }, async () => {
    await database().sql("CREATE TABLE failing (id int)");
    let failures = 0;
    await writeSlowly(sinkOf("failing"), {
      onRecord: (seen) => {
        if (seen > 1500 * (failures + 1) && failures < 3) {
          failures++;
          throw new Error("as planned");
        }
      },
    });
    assert.equal(failures, 3);
    await expectEachOnce("failing");
  });

  const steps = [["prepare", "before"], ["prepare", "after"], ["commit", "before"], ["commit", "after"], ["write", "after"]] as const;
  for (const [step, how] of steps) {
    for (const crash of [false, true]) {
      test(`no row is lost or doubled when the ${crash ? "server crashes" : "connection breaks"} ${how} ${marks[step]}`, { skip }, async () => {
        const table = `at_${step}_${how}_${crash}`;
        await database().sql(`CREATE TABLE ${table} (id int)`);
        let restarted: Promise<void> = Promise.resolve();
        const then = crash ? async (): Promise<void> => {
          restarted = database().crash().then(() => database().restart());
          await restarted;
        } : (): void => undefined;
        const fault: MessageFault = { at: marks[step], how, skip: 1, then };
        database().proxy.plan(fault, fault);
        await writeSlowly(sinkOf(table), { isSlow: () => database().proxy.pending > 0 });
        await restarted;
        assert.equal(database().proxy.pending, 0, "a fault did not happen");
        await expectEachOnce(table);
      });
    }
  }

  test("upserts of the same keys wait for the commit of those before, and the last one counts", { skip }, async () => {
    await database().sql("CREATE TABLE counters (id int PRIMARY KEY, n int)");
    let failed = false;
    await writeSlowly(sinkOf("counters", { columns: { id: () => 7, n: (n) => n }, keyColumns: ["id"] }), {
      parallelism: 1, onRecord: (seen) => {
        if (seen > 3000 && !failed) {
          failed = true;
          throw new Error("as planned");
        }
      },
    });
    assert.deepEqual(await database().sql("SELECT * FROM counters"), [[7, COUNT - 1]]);
  });

  test("a transaction that somebody rolled back fails the job, and is not taken for committed", { skip }, async () => {
    await database().sql("CREATE TABLE robbed (id int)");
    database().proxy.plan({
      at: marks.commit, how: "hold", then: async () => {
        // The sink gets no word through until it is done, by another connection either.
        database().proxy.hold("both");
        for (const name of await database().prepared()) if (name.startsWith("robbed")) await database().rollBack(name);
        database().proxy.clear();
      },
    });
    await expectFailure(writeSlowly(sinkOf("robbed"), { parallelism: 1 }), "JDBC_TRANSACTION_LOST");
  });

  test("a fresh start rolls back what its own earlier runs have left, of all subtasks they had, and nothing else", { skip }, async () => {
    await database().sql("CREATE TABLE fresh (id int PRIMARY KEY)");
    const sink = (): JdbcSink<number> => sinkOf("fresh", { keyColumns: ["id"] });
    await writeSlowly(sink());
    const [[epochName]] = (await database().sql("SELECT name FROM millrace_transactions WHERE name LIKE 'epoch fresh%'")) as [[string]];
    const base = epochName.slice("epoch ".length);
    await database().sql("TRUNCATE TABLE fresh");
    // They hold keys that the next run needs.
    const own = [`${base}oldjobid_0_3_0`, `${base}oldjobid_1_1_0`, `${base}oldjobid_6_1_0`, `${base}oldjobid_7_900_0`];
    for (const [i, name] of own.entries()) await database().prepare(name, `INSERT INTO fresh VALUES (${i})`);
    const others = ["freshly_12345678_oldjobid_0_3_0", `${base}x_y_z`, "fresh_87654321_oldjobid_0_3_0"];
    for (const [i, name] of others.entries()) await database().prepare(name, `INSERT INTO fresh VALUES (${COUNT + i})`);
    await writeSlowly(sink());
    assert.deepEqual((await database().prepared()).filter((name) => name.startsWith("fresh")).toSorted(), others.toSorted());
    for (const name of others) await database().rollBack(name);
    await expectEachOnce("fresh");
  });

  test("the sessions of earlier attempts that are out of sight are ended, and their locks with them", { skip }, async () => {
    await database().sql("CREATE TABLE silent (id int PRIMARY KEY)");
    let failed = false;
    await writeSlowly(sinkOf("silent", { keyColumns: ["id"], execution: { batchSize: 10 }, exactlyOnce: { transactionIdPrefix: "silent", lockTimeout: "1 h" } }), {
      onRecord: (seen) => {
        if (seen < 3000 || failed) return;
        failed = true;
        // The server hears nothing of the end of these connections: what goes on is new ones.
        database().proxy.forsake();
        throw new Error("as planned");
      },
    });
    assert.ok(failed);
    await expectEachOnce("silent");
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** How long a record waits for a fault to come: longer, the fewer are left to its subtask of two, so that the job does not end before. */
function slowerToTheEnd(id: number): number {
  const ofSubtask = COUNT / 2;
  return Math.min(500, (5 * ofSubtask) / (ofSubtask - (id % ofSubtask)));
}

/** Writes 0 to COUNT - 1, slowly as long as a fault is to come, so that there are checkpoints; `onRecord` sees every record on its way. */
async function writeSlowly(
  sink: JdbcSink<number>, { onRecord = () => undefined, isSlow = () => false, parallelism = 2 }: { onRecord?: (seen: number) => void; isSlow?: () => boolean; parallelism?: number } = {},
): Promise<void> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(parallelism);
  let seen = 0;
  env.fromSequence(0, COUNT - 1).asyncMap(async (id) => {
    if (isSlow()) await pause(slowerToTheEnd(id));
    else if (id % 10 === 0) await pause(5);
    return id;
  }, { capacity: 3 }).map((id) => {
    onRecord(++seen);
    return id;
  }).sinkTo(sink).uid("sink");
  await env.execute();
}
