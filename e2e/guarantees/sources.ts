import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { KafkaSource, OffsetsInitializer } from "@millrace/connector-kafka";
import { DataGeneratorSource, FileSource, RateLimiterStrategy, StringSchema, WatermarkStrategy, type DataStream, type StreamExecutionEnvironment } from "millrace";
import { KafkaCluster } from "../../tools/services/kafka/kafka-cluster.js";
import { kafkaMissing } from "../../tools/services/kafka/kafka-distribution.js";

export const RECORDS = 150;
export const EXPECTED: readonly string[] = Array.from({ length: RECORDS }, (_, i) => `record ${i}`);

/** What a source reads in one run. */
export interface SourceWorld {
  stream(env: StreamExecutionEnvironment): DataStream<string>;
  close?(): Promise<void>;
}

/** A kind of source. `skip` says why it cannot run here. */
export interface SourceKind {
  readonly skip?: string | undefined;
  before?(): Promise<void>;
  open(directory: string): SourceWorld | Promise<SourceWorld>;
  after?(): Promise<void>;
}

const none = WatermarkStrategy.noWatermarks<string>();
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Sources that have everything at once are slowed down, so that checkpoints are taken meanwhile. */
const slowly = (records: DataStream<string>): DataStream<string> =>
  records.asyncMap(async (record) => {
    await pause(1);
    return record;
  }, { capacity: 1 });

let kafka: KafkaCluster | undefined;

export const sources: Readonly<Record<string, SourceKind>> = {
  generator: {
    open: () => ({ stream: (env) => env.fromSource(new DataGeneratorSource((index) => EXPECTED[index]!, RECORDS, RateLimiterStrategy.perSecond(1000)), none, "generator") }),
  },
  files: {
    open: (directory) => {
      mkdirSync(join(directory, "in"));
      for (const part of [0, 1]) writeFileSync(join(directory, "in", `${part}.txt`), EXPECTED.filter((_, i) => i % 2 === part).map((line) => `${line}\n`).join(""));
      return { stream: (env) => slowly(env.fromSource(FileSource.lines(join(directory, "in")), none, "files")) };
    },
  },
  kafka: {
    skip: kafkaMissing(),
    before: async () => {
      kafka = await KafkaCluster.start();
      await kafka.createTopic("records", 2);
      await kafka.tool("ConsoleProducer", ["--topic", "records"], EXPECTED.join("\n"));
    },
    open: () => ({
      stream: (env) => slowly(env.fromSource(
        KafkaSource.of({ bootstrapServers: kafka!.bootstrapServers, topics: "records", stoppingOffsets: OffsetsInitializer.latest(), value: StringSchema }), none, "Kafka",
      )),
    }),
    after: async () => kafka?.remove(),
  },
  socket: { open: () => openSocket() },
  live: {
    open: () => {
      let next = 0;
      async function* goOn(): AsyncGenerator<string> {
        while (next < RECORDS) {
          yield EXPECTED[next++]!;
          await pause(1);
        }
      }
      return { stream: (env) => env.fromAsyncIterable((_position: number) => goOn(), { name: "live" }) };
    },
  },
};

/** A server that says each line once, to whoever is connected then. */
async function openSocket(): Promise<SourceWorld> {
  let client: Socket | undefined;
  let next = 0;
  const server: Server = createServer((socket) => {
    client = socket;
    socket.on("error", () => undefined).on("close", () => {
      if (client === socket) client = undefined;
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const timer = setInterval(() => {
    if (client === undefined) return;
    if (next < RECORDS) client.write(`${EXPECTED[next++]!}\n`);
    else client.end();
  }, 1);
  const { port } = server.address() as { port: number };
  return {
    stream: (env) => env.socketTextStream("127.0.0.1", port),
    close: () => {
      clearInterval(timer);
      client?.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
