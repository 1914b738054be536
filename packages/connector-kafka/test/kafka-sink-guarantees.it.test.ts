import { after, before, test } from "node:test";
import { StringSchema, WatermarkStrategy } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { sinkGuarantees } from "@millrace/testkit";
import { KafkaCluster } from "../../../tools/services/kafka/kafka-cluster.js";
import { kafkaMissing } from "../../../tools/services/kafka/kafka-distribution.js";
import { KafkaClient } from "../src/client/kafka-client.js";
import { connectionSettings } from "../src/client/kafka-options.js";
import { KafkaSink, KafkaSource, OffsetsInitializer, type DeliveryGuarantee } from "../src/index.js";
import { committedRecords } from "./support/committed-records.js";
import { settledTransactions } from "./support/settled-transactions.js";

/*
 * The kill tests of the test kit against a real broker. All cases write to one topic, each to its own partitions: making a topic takes longer than a case. Exactly
 * once goes through nearly every case, the others, whose way is a part of it, through some.
 */
const skip = kafkaMissing() ?? false;
const TOPIC = "guarantees";
const PARTITIONS = 300;
let kafka: KafkaCluster;
let opened = 0;

before(async () => {
  if (skip !== false) return;
  kafka = await KafkaCluster.start();
  await kafka.createTopic(TOPIC, PARTITIONS);
});
after(async () => {
  await kafka?.remove();
});

async function read(first: number): Promise<string[]> {
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  const source = KafkaSource.of({ bootstrapServers: kafka.bootstrapServers, partitions: [first, first + 1].map((partition) => ({ topic: TOPIC, partition })), stoppingOffsets: OffsetsInitializer.latest(), value: StringSchema });
  return env.fromSource(source, WatermarkStrategy.noWatermarks<string>(), "Kafka").executeAndCollect();
}

/** Also behind the beginning of an open transaction, where readers wait for its end: a job that is started anew aborts it, and they go on. */
async function committed(first: number): Promise<string[]> {
  const client = new KafkaClient(connectionSettings({ bootstrapServers: kafka.bootstrapServers }));
  try {
    await client.metadata([TOPIC]);
    return (await Promise.all([first, first + 1].map((partition) => committedRecords(client, TOPIC, partition)))).flat();
  } finally {
    client.close();
  }
}

function cases(deliveryGuarantee: DeliveryGuarantee) {
  return sinkGuarantees<string>({
    name: `KafkaSink ${deliveryGuarantee}`, guarantee: deliveryGuarantee, time: "real", records: 120, recordsPerSecond: 200, seeds: deliveryGuarantee === "exactly-once" ? 3 : 1,
    open: () => {
      const first = 2 * opened++;
      const name = `case${first}`;
      const exactlyOnce = deliveryGuarantee === "exactly-once" ? { transactionalIdPrefix: name } : {};
      return {
        sink: () => KafkaSink.of<string>({ bootstrapServers: kafka.bootstrapServers, topic: TOPIC, value: StringSchema, partition: (record) => first + (record.length % 2), deliveryGuarantee, ...exactlyOnce }),
        read: async () => {
          await settledTransactions(kafka.bootstrapServers, name);
          return read(first);
        },
        committed: async () => {
          await settledTransactions(kafka.bootstrapServers, name);
          return committed(first);
        },
        pending: () => settledTransactions(kafka.bootstrapServers, name),
        outage: { begin: () => kafka.broker().stop(), end: () => kafka.broker().start() },
      };
    },
  });
}

const NOT_FOR_KAFKA = /createWriter|a record before|an empty|more subtasks|2 to 2|another operator takes/;
const SOME = /without failures|killed (after|before) (write|flush|snapshotState)|older|parallelism 1 to 3|random|drain/;

for (const { name, run } of cases("exactly-once")) if (!NOT_FOR_KAFKA.test(name)) test(name, { skip }, run);
for (const deliveryGuarantee of ["at-least-once", "none"] as const) {
  for (const { name, run } of cases(deliveryGuarantee)) if (SOME.test(name)) test(name, { skip }, run);
}
