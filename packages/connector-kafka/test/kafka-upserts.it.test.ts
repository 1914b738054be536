import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { isMillraceError, JsonSchema, WatermarkStrategy } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { MiniCluster, seededRandom } from "@millrace/testkit";
import { KafkaCluster } from "../../../tools/services/kafka/kafka-cluster.js";
import { kafkaMissing } from "../../../tools/services/kafka/kafka-distribution.js";
import { KafkaSink, KafkaSource, OffsetsInitializer } from "../src/index.js";
import { settledTransactions } from "./support/settled-transactions.js";

interface Change {
  readonly account: string;
  readonly balance: number;
  readonly closed: boolean;
}

const skip = kafkaMissing() ?? false;
const miniCluster = new MiniCluster({
  config: { "execution.checkpointing.interval": "50 ms", "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 100, "restart-strategy.fixed-delay.delay": "10 ms" },
});
let kafka: KafkaCluster;

before(async () => {
  miniCluster.start();
  if (skip === false) kafka = await KafkaCluster.start();
});
after(async () => {
  await miniCluster.stop();
  await kafka?.remove();
});

/** The table that a topic of upserts is: the last value of each key that is no tombstone, as compaction leaves it. */
async function tableOf(topic: string): Promise<Map<string, number>> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  env.setParallelism(1);
  const source = KafkaSource.of<readonly [string, number | null]>({
    bootstrapServers: kafka.bootstrapServers, topics: topic, stoppingOffsets: OffsetsInitializer.latest(),
    deserializer: ({ key, value }) => [Buffer.from(key!).toString(), value === null ? null : (JSON.parse(Buffer.from(value).toString()) as Change).balance],
  });
  const table = new Map<string, number>();
  for (const [key, balance] of await env.fromSource(source, WatermarkStrategy.noWatermarks(), "Kafka").executeAndCollect()) {
    if (balance === null) table.delete(key);
    else table.set(key, balance);
  }
  return table;
}

for (const deliveryGuarantee of ["at-least-once", "exactly-once"] as const) {
  test(`the last upsert of each key counts, ${deliveryGuarantee}, though the job fails`, { skip }, async () => {
    const topic = `upserts-${deliveryGuarantee}`;
    await kafka.createTopic(topic, 3, { "cleanup.policy": "compact" });
    const random = seededRandom(7);
    const changes: Change[] = Array.from({ length: 3000 }, (_, balance) => ({ account: `a${Math.floor(random() * 40)}`, balance, closed: random() < 0.2 }));
    const expected = new Map<string, number>();
    for (const { account, balance, closed } of changes) {
      if (closed) expected.delete(account);
      else expected.set(account, balance);
    }
    const env = StreamExecutionEnvironment.getExecutionEnvironment();
    env.setParallelism(2);
    let seen = 0;
    let failures = 0;
    env.fromCollection(changes).keyBy("account").map((change) => {
      if (++seen > 1000 * (failures + 1) && failures < 2) {
        failures++;
        throw new Error("as planned");
      }
      return change;
    }).sinkTo(KafkaSink.upserts<Change>({
      bootstrapServers: kafka.bootstrapServers, topic, key: ({ account }) => account, value: JsonSchema.of<Change>(), deletes: ({ closed }) => closed, deliveryGuarantee,
      ...(deliveryGuarantee === "exactly-once" ? { transactionalIdPrefix: topic } : {}),
    }));
    await env.execute();
    assert.equal(failures, 2);
    await settledTransactions(kafka.bootstrapServers, topic);
    assert.deepEqual([...(await tableOf(topic))].sort(), [...expected].sort());
  });
}

test("what would make a wrong table is refused", () => {
  const options = { bootstrapServers: "localhost:1", topic: "t", key: () => "k", value: () => "v" };
  const refused = (option: string) => (error: unknown): boolean => isMillraceError(error) && error.code === "OPTION_INVALID" && error.location.option === option;
  assert.throws(() => KafkaSink.upserts({ ...options, key: undefined as never }), refused("key"));
  assert.throws(() => KafkaSink.upserts({ ...options, deliveryGuarantee: "none" }), refused("deliveryGuarantee"));
});
