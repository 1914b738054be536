// Private Kafka brokers in KRaft mode: on free ports of the loopback, in a temporary folder, gone when they are removed.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../free-port.js";
import { ServerProcess } from "../server-process.js";
import { startOnFreePort } from "../start-on-free-port.js";
import { JAVA_OPTIONS, kafkaMissing } from "./kafka-distribution.js";

export interface KafkaOptions {
  /** One to three; each is broker and controller. */
  readonly brokers?: number;
  /** Where brokers tell clients to connect, at their own ports; default where they listen. Among each other they stay there. */
  readonly advertisedHost?: string;
  /** Lines of `server.properties` over those below. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Not with `advertisedHost`. A second listener `SASL_PLAINTEXT` (`saslServers`) for these users and passwords, by SASL/PLAIN and SCRAM-SHA-256 and -512. */
  readonly users?: Readonly<Record<string, string>>;
  /** A third listener `SSL` (`tlsServers`), which asks clients for a certificate, too. PEM files: the brokers' key and certificate in one, and the authorities of clients. */
  readonly tls?: { readonly keystore: string; readonly ca: string };
}

const CLUSTER_ID = "bWlsbHJhY2Uta2Fma2EtMQ";
const HEAP = "-Xmx384m";

interface Broker {
  readonly id: number;
  readonly port: number;
  readonly saslPort: number;
  readonly tlsPort: number;
  readonly controllerPort: number;
  readonly config: string;
  readonly process: ServerProcess;
}

export class KafkaCluster {
  readonly #directory: string;
  readonly #brokers: readonly Broker[];

  private constructor(directory: string, brokers: readonly Broker[]) {
    this.#directory = directory;
    this.#brokers = brokers;
  }

  /** Starts brokers on empty storage and resolves when all of them serve clients. @throws when Kafka cannot be had ({@link kafkaMissing}) or a broker does not start */
  static async start(options: KafkaOptions = {}): Promise<KafkaCluster> {
    const missing = kafkaMissing();
    if (missing !== undefined) throw new Error(missing);
    return startOnFreePort(() => KafkaCluster.#prepare(options));
  }

  async start(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.process.start()));
  }

  static async #prepare({ brokers: count = 1, properties = {}, users, advertisedHost, tls }: KafkaOptions): Promise<KafkaCluster> {
    const directory = mkdtempSync(join(tmpdir(), "millrace-kafka-"));
    const ports: { readonly port: number; readonly saslPort: number; readonly tlsPort: number; readonly controllerPort: number; readonly internalPort: number }[] = [];
    for (let i = 0; i < count; i++) ports.push({ port: await freePort(), saslPort: await freePort(), tlsPort: await freePort(), controllerPort: await freePort(), internalPort: await freePort() });
    const quorum = ports.map(({ controllerPort }, i) => `${i + 1}@127.0.0.1:${controllerPort}`).join(",");
    const brokers = ports.map(({ port, saslPort, tlsPort, controllerPort, internalPort }, i) => {
      const id = i + 1;
      const home = join(directory, `broker-${id}`);
      mkdirSync(home);
      const config = join(home, "server.properties");
      const replicas = String(Math.min(count, 3));
      const settings = {
        "process.roles": "broker,controller", "node.id": String(id), "controller.quorum.voters": quorum, "controller.listener.names": "CONTROLLER", "inter.broker.listener.name": "PLAINTEXT",
        listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}${users === undefined ? "" : `,SASL_PLAINTEXT://127.0.0.1:${saslPort}`}${tls === undefined ? "" : `,SSL://127.0.0.1:${tlsPort}`}`,
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL",
        "log.dirs": join(home, "data"), "auto.create.topics.enable": "false", "offsets.topic.num.partitions": "4", "transaction.state.log.num.partitions": "4",
        "offsets.topic.replication.factor": replicas, "transaction.state.log.replication.factor": replicas, "transaction.state.log.min.isr": "1", "default.replication.factor": replicas, "min.insync.replicas": "1",
        "share.coordinator.state.topic.replication.factor": replicas, "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        // A killed broker comes back only when its old session is over; 9 s otherwise.
        "broker.session.timeout.ms": "3000", "broker.heartbeat.interval.ms": "500", "log.cleaner.dedupe.buffer.size": "4194304", "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
        ...(users === undefined ? {} : saslProperties(users)),
        ...(advertisedHost === undefined ? {} : internalListener(port, controllerPort, internalPort, advertisedHost)),
        ...(tls === undefined ? {} : tlsProperties(tls)),
        ...properties,
      };
      writeFileSync(config, Object.entries(settings).map(([key, value]) => `${key}=${value}\n`).join(""));
      const process = new ServerProcess({
        name: `Kafka broker ${id}`, command: "java", args: [HEAP, ...JAVA_OPTIONS, "kafka.Kafka", config], spawn: { cwd: home }, ready: () => isServing(port),
      });
      return { id, port, saslPort, tlsPort, controllerPort, config, process };
    });
    for (const { config } of brokers) {
      const scram = Object.entries(users ?? {}).flatMap(([name, password]) => ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => ["--add-scram", `${mechanism}=[name=${name},password=${password}]`]));
      const { status, stdout, stderr } = spawnSync("java", [...JAVA_OPTIONS, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", config, ...scram], { encoding: "utf8" });
      if (status !== 0) throw new Error(`the storage of Kafka could not be formatted: ${stdout}${stderr}`);
    }
    return new KafkaCluster(directory, brokers);
  }

  /** Below it are the brokers' configurations, and their logs (`broker-1/data`). */
  get directory(): string {
    return this.#directory;
  }

  /** For `bootstrap.servers`. */
  get bootstrapServers(): string {
    return this.#brokers.map(({ port }) => `127.0.0.1:${port}`).join(",");
  }

  /** The listener that asks for one of `users`. */
  get saslServers(): string {
    return this.#brokers.map(({ saslPort }) => `127.0.0.1:${saslPort}`).join(",");
  }

  /** The listener that speaks TLS and asks for a certificate. */
  get tlsServers(): string {
    return this.#brokers.map(({ tlsPort }) => `127.0.0.1:${tlsPort}`).join(",");
  }

  /** The process of a broker, to kill, pause and start again on the same data. @param id from 1 */
  broker(id: number = 1): ServerProcess {
    const broker = this.#brokers.find((other) => other.id === id);
    if (broker === undefined) throw new Error(`there is no broker ${id}: this cluster has ${this.#brokers.length}`);
    return broker.process;
  }

  createTopic(name: string, partitions: number = 1, configs: Readonly<Record<string, string>> = {}): Promise<string> {
    return this.tool("TopicCommand", ["--create", "--topic", name, "--partitions", String(partitions), ...Object.entries(configs).flatMap(([key, value]) => ["--config", `${key}=${value}`])]);
  }

  /** Takes away what is before an offset, as retention does; -1: everything. */
  deleteRecords(topic: string, partition: number, beforeOffset: number): Promise<string> {
    const file = join(this.#directory, "delete-records.json");
    writeFileSync(file, JSON.stringify({ version: 1, partitions: [{ topic, partition, offset: beforeOffset }] }));
    return this.tool("DeleteRecordsCommand", ["--offset-json-file", file]);
  }

  /**
   * Runs one of Kafka's own Java tools (`TopicCommand`, `ConsoleConsumer`, `ConsoleProducer`, `ProducerPerformance`, …) with `--bootstrap-server` and gives what it printed.
   * @param input goes to its standard input
   * @throws with what it said when it fails
   */
  tool(name: string, args: readonly string[], input: string | Uint8Array = ""): Promise<string> {
    const where = name === "ProducerPerformance" ? [] : ["--bootstrap-server", this.bootstrapServers];
    const packageOf = name.startsWith("Console") ? "org.apache.kafka.tools.consumer" : "org.apache.kafka.tools";
    const qualified = name === "ConsoleProducer" ? "org.apache.kafka.tools.ConsoleProducer" : `${packageOf}.${name}`;
    const child = spawn("java", ["-Xmx192m", ...JAVA_OPTIONS, qualified, ...where, ...args], { stdio: ["pipe", "pipe", "pipe"] });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
    child.stdin.on("error", () => undefined).end(input);
    return new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => (code === 0 ? resolve(output) : reject(new Error(`${name} ${args.join(" ")}: ${output}${errors}`))));
    });
  }

  /** Kills every broker and deletes its data. */
  async remove(): Promise<void> {
    await Promise.all(this.#brokers.map((broker) => broker.process.stop()));
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** Clients come through somebody else, brokers do not. */
function internalListener(port: number, controllerPort: number, internalPort: number, advertisedHost: string): Record<string, string> {
  return {
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort},INTERNAL://127.0.0.1:${internalPort}`, "inter.broker.listener.name": "INTERNAL",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,INTERNAL:PLAINTEXT",
    "advertised.listeners": `PLAINTEXT://${advertisedHost}:${port},INTERNAL://127.0.0.1:${internalPort}`,
  };
}

function tlsProperties({ keystore, ca }: { readonly keystore: string; readonly ca: string }): Record<string, string> {
  return {
    "listener.name.ssl.ssl.keystore.type": "PEM", "listener.name.ssl.ssl.keystore.location": keystore, "listener.name.ssl.ssl.truststore.type": "PEM",
    "listener.name.ssl.ssl.truststore.location": ca, "listener.name.ssl.ssl.client.auth": "required",
  };
}

function saslProperties(users: Readonly<Record<string, string>>): Record<string, string> {
  const listed = Object.entries(users).map(([name, password]) => ` user_${name}="${password}"`).join("");
  return {
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    "listener.name.sasl_plaintext.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required${listed};`,
    "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
  };
}

/** Whether a broker answers ApiVersions, which it does once it has caught up with the controller. */
function isServing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    // Size, key 18, version 0, correlation 1, client id null.
    socket.on("connect", () => socket.write(Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff])));
    socket.once("data", () => {
      resolve(true);
      socket.destroy();
    });
    socket.on("error", () => undefined);
    socket.setTimeout(1000, () => socket.destroy());
    socket.on("close", () => resolve(false));
  });
}
