import { StreamExecutionEnvironment, StringSchema, WatermarkStrategy } from "millrace";
import { KafkaSource, OffsetsInitializer } from "@millrace/connector-kafka";
import { KafkaClient } from "../../../packages/connector-kafka/src/client/kafka-client.js";
import { answerError } from "../../../packages/connector-kafka/src/client/kafka-error.js";
import { connectionSettings } from "../../../packages/connector-kafka/src/client/kafka-options.js";
import { KafkaProducer } from "../../../packages/connector-kafka/src/client/kafka-producer.js";
import { InitProducerId } from "../../../packages/connector-kafka/src/protocol/transaction-apis.js";
import { formatEntry, type Entry } from "../check/entries.js";
import type { KafkaService } from "../world/world.js";
import type { Input, Output } from "./ends.js";

export const PARTITIONS = 4;
/** Results have the times of the events, which are long ago. */
const KEEP_ALL = { "retention.ms": "-1" };
/** Longer than any fault: the input is what was written, however long that takes. */
const DELIVERY_LIMIT_MS = 900_000;

/** A topic, in which all entries of a key are in one partition. */
export class KafkaInput implements Input {
  readonly args: readonly string[];
  readonly #client: KafkaClient;
  readonly #producer: KafkaProducer;
  readonly #topic: string;

  private constructor(client: KafkaClient, producer: KafkaProducer, topic: string) {
    this.#client = client;
    this.#producer = producer;
    this.#topic = topic;
    this.args = ["--input", topic];
  }

  static async open({ cluster, bootstrapServers }: KafkaService, topic: string): Promise<KafkaInput> {
    await cluster.createTopic(topic, PARTITIONS, KEEP_ALL);
    const client = new KafkaClient(connectionSettings({ bootstrapServers, requestTimeoutMs: 5000 }));
    const identity = await client.retrying("a producer id", 60_000, async () => {
      await client.metadata([topic]);
      const answer = await client.call(client.brokerIds[0]!, InitProducerId, { transactionalId: null, transactionTimeoutMs: 0x7fffffff });
      if (answer.errorCode !== 0) throw answerError(answer.errorCode, "a producer id");
      return answer;
    });
    // Idempotent: a batch whose answer was lost is written once all the same.
    const producer = new KafkaProducer(client, { compression: "none", batchSizeBytes: 1 << 16, bufferMemoryBytes: 1 << 25, deliveryTimeoutMs: DELIVERY_LIMIT_MS });
    producer.begin({ producerId: identity.producerId, producerEpoch: identity.producerEpoch, transactionalId: null });
    return new KafkaInput(client, producer, topic);
  }

  async write(entries: readonly Entry[]): Promise<void> {
    // Of today: a broker that starts again has forgotten producers whose records are older than `producer.id.expiration.ms`, and takes what they repeat.
    const nowMs = Date.now();
    for (const entry of entries) this.#producer.append(this.#topic, Number(entry.key.slice(1)) % PARTITIONS, Buffer.from(entry.key), Buffer.from(formatEntry(entry)), nowMs, undefined);
    await this.#producer.flush();
  }

  async close(): Promise<void> {
    this.#client.close();
  }
}

/** A topic, read all the time by our own source, and at the end by Kafka's own consumer; both see committed records only. */
export class KafkaOutput implements Output {
  readonly args: readonly string[];
  readonly #kafka: KafkaService;
  readonly #topic: string;
  #lines: string[] = [];
  #isClosed = false;
  #cancel: () => Promise<void> = async () => undefined;
  readonly #reading: Promise<void>;

  private constructor(kafka: KafkaService, topic: string) {
    this.#kafka = kafka;
    this.#topic = topic;
    this.args = ["--output", topic];
    this.#reading = this.#read();
  }

  static async open(kafka: KafkaService, topic: string): Promise<KafkaOutput> {
    await kafka.cluster.createTopic(topic, PARTITIONS, KEEP_ALL);
    return new KafkaOutput(kafka, topic);
  }

  get count(): number {
    return this.#lines.length;
  }

  async refresh(): Promise<void> {}

  async readAll(): Promise<{ readonly lines: readonly string[]; readonly complaints: readonly string[] }> {
    const text = await this.#kafka.cluster.tool("ConsoleConsumer", ["--topic", this.#topic, "--from-beginning", "--isolation-level", "read_committed", "--timeout-ms", "15000"]);
    // It tells that nothing more has come in the same way as what has come.
    const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("ERROR ") && !line.startsWith("org.apache.kafka.common.errors.TimeoutException"));
    return { lines, complaints: sameLines(lines, this.#lines) ? [] : [`Kafka's consumer sees ${lines.length} records of "${this.#topic}", our source ${this.#lines.length}, and they are not the same`] };
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#cancel();
    await this.#reading;
  }

  /** One that fails begins anew. */
  async #read(): Promise<void> {
    while (!this.#isClosed) {
      this.#lines = [];
      try {
        const env = StreamExecutionEnvironment.getExecutionEnvironment({ "restart-strategy.type": "none" });
        env.setParallelism(1);
        const source = KafkaSource.of({ bootstrapServers: this.#kafka.bootstrapServers, topics: this.#topic, value: StringSchema, startingOffsets: OffsetsInitializer.earliest(), requestTimeoutMs: 10_000 });
        const lines = env.fromSource(source, WatermarkStrategy.noWatermarks(), "what is committed").collectAsync();
        const job = await env.executeAsync();
        this.#cancel = () => job.cancel();
        for await (const line of lines) this.#lines.push(line);
      } catch {
        // The broker was away for too long, or the run ends.
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    }
  }
}

function sameLines(a: readonly string[], b: readonly string[]): boolean {
  const sorted = (lines: readonly string[]): string => lines.toSorted().join("\n");
  return a.length === b.length && sorted(a) === sorted(b);
}
