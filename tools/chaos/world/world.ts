import { join } from "node:path";
import { LocalCluster } from "../../../e2e/cluster/processes.js";
import { KafkaCluster } from "../../services/kafka/kafka-cluster.js";
import { PostgresServer } from "../../services/postgres/postgres-server.js";
import { ZooKeeperServer } from "../../services/zookeeper/zookeeper-server.js";
import type { Journal } from "../report/journal.js";
import { DATA_PORTS, REST_PORT, RPC_PORT, addresses } from "./addresses.js";
import { Link } from "./links.js";
import { Member } from "./member.js";
import { smallDisk, type SmallDisk } from "./small-disk.js";

export type HighAvailability = "file" | "zookeeper";
export type SlotIsolation = "thread" | "process";

/** What jobs read from and write to, besides files. */
export type ServiceName = "kafka" | "postgres";

export interface WorldOptions {
  readonly highAvailability: HighAvailability;
  readonly services: readonly ServiceName[];
  readonly taskManagers: number;
  readonly slotIsolation: SlotIsolation;
  readonly journal: Journal;
}

/** Kafka, with what faults need of it. */
export interface KafkaService {
  readonly cluster: KafkaCluster;
  /** Through the proxy. */
  readonly bootstrapServers: string;
}

/** PostgreSQL, with what faults need of it. */
export interface PostgresService {
  readonly server: PostgresServer;
  /** Through the proxy. */
  readonly url: string;
}

export const HEARTBEAT_TIMEOUT_MS = 8000;
/** Of the lease of a leader, over a directory as with ZooKeeper: their defaults. */
export const LEASE_TIMEOUT_MS = 5000;
export const SLOTS_PER_TASK_MANAGER = 2;

/** Everything a run happens in: the cluster's processes, what they stand on, and the links between all of them. */
export class World {
  readonly cluster: LocalCluster;
  readonly disk: SmallDisk;
  readonly highAvailability: HighAvailability;
  readonly slotIsolation: SlotIsolation;
  readonly jobManagers: readonly Member[];
  readonly taskManagers: readonly Member[];
  readonly links: readonly Link[];
  readonly zookeeper: ZooKeeperServer | undefined;
  readonly kafka: KafkaService | undefined;
  readonly postgres: PostgresService | undefined;

  private constructor(init: Pick<World, "cluster" | "disk" | "highAvailability" | "slotIsolation" | "jobManagers" | "taskManagers" | "links" | "zookeeper" | "kafka" | "postgres">) {
    this.cluster = init.cluster;
    this.disk = init.disk;
    this.highAvailability = init.highAvailability;
    this.slotIsolation = init.slotIsolation;
    this.jobManagers = init.jobManagers;
    this.taskManagers = init.taskManagers;
    this.links = init.links;
    this.zookeeper = init.zookeeper;
    this.kafka = init.kafka;
    this.postgres = init.postgres;
  }

  /** Starts all of it; resolves when services answer and processes are on their way. */
  static async open({ highAvailability, services, taskManagers: count, slotIsolation, journal }: WorldOptions): Promise<World> {
    const opened: (() => unknown)[] = [];
    try {
      const [zookeeper, kafkaCluster, postgresServer] = await Promise.all([
        highAvailability === "zookeeper" ? ZooKeeperServer.start().then((server) => (opened.push(() => server.remove()), server)) : undefined,
        services.includes("kafka") ? KafkaCluster.start({ advertisedHost: addresses.kafka }).then((server) => (opened.push(() => server.remove()), server)) : undefined,
        services.includes("postgres") ? PostgresServer.start().then((server) => (opened.push(() => server.remove()), server)) : undefined,
      ]);
      const cluster = new LocalCluster((directory) => definitions(highAvailability, slotIsolation, join(directory, "disk")));
      opened.push(() => cluster.stop());
      const disk = smallDisk(join(cluster.directory, "disk"));
      opened.push(() => disk.remove());
      const links: Link[] = [];
      const open = async (...args: Parameters<typeof Link.open>): Promise<void> => {
        const link = await Link.open(...args);
        links.push(link);
        opened.push(() => link.close());
      };
      const members = Array.from({ length: 2 + count }, (_, i) => i + 1).map((number) => member(number, { cluster, journal, zookeeperPort: zookeeper?.port }));
      for (const [index, { name, command }] of members.entries()) {
        const number = index + 1;
        const ports = command === "jobmanager" ? [RPC_PORT] : DATA_PORTS;
        await open(`to ${name}`, ports.map((port) => ({ host: addresses.advertised(number), port, targetHost: addresses.bind(number), targetPort: port })));
        if (zookeeper !== undefined) {
          await open(`${name} to ZooKeeper`, [{ host: addresses.zookeeper(number), port: zookeeper.port, targetHost: "127.0.0.1", targetPort: zookeeper.port }]);
        }
      }
      let kafka: KafkaService | undefined;
      if (kafkaCluster !== undefined) {
        const port = Number(kafkaCluster.bootstrapServers.split(":")[1]);
        await open("to Kafka", [{ host: addresses.kafka, port, targetHost: "127.0.0.1", targetPort: port }]);
        kafka = { cluster: kafkaCluster, bootstrapServers: `${addresses.kafka}:${port}` };
      }
      let postgres: PostgresService | undefined;
      if (postgresServer !== undefined) {
        const { port, url } = postgresServer;
        await open("to PostgreSQL", [{ host: addresses.postgres, port, targetHost: "127.0.0.1", targetPort: port }]);
        postgres = { server: postgresServer, url: url.replace("127.0.0.1", addresses.postgres) };
      }
      for (const each of members) each.start();
      return new World({
        cluster, disk, highAvailability, slotIsolation, links, zookeeper, kafka, postgres,
        jobManagers: members.filter(({ command }) => command === "jobmanager"), taskManagers: members.filter(({ command }) => command === "taskmanager"),
      });
    } catch (error) {
      for (const close of opened.toReversed()) await close();
      throw error;
    }
  }

  get members(): readonly Member[] {
    return [...this.jobManagers, ...this.taskManagers];
  }

  get leader(): Member | undefined {
    return this.jobManagers.find((member) => member.leads);
  }

  /** For `-m`. */
  get jobManagerAddresses(): string {
    return this.jobManagers.map((_, index) => `${addresses.advertised(index + 1)}:${RPC_PORT}`).join(",");
  }

  /** Past all proxies, for whoever watches. */
  get directAddresses(): readonly { readonly host: string; readonly port: number }[] {
    return this.jobManagers.map((_, index) => ({ host: addresses.bind(index + 1), port: RPC_PORT }));
  }

  get leaderChanges(): number {
    return Math.max(0, this.jobManagers.reduce((sum, { elections }) => sum + elections, 0) - 1);
  }

  get pids(): readonly number[] {
    return this.members.flatMap(({ pid }) => pid ?? []);
  }

  /** A folder on the small disk. */
  folder(name: string): string {
    return join(this.disk.path, name);
  }

  /** Whatever faults have left behind is over: all processes run, all links are clear, the disk has room. */
  async heal(): Promise<void> {
    this.disk.free(this.pids);
    for (const link of this.links) link.clear();
    for (const each of this.members) {
      each.resume();
      each.start();
    }
    if (this.zookeeper !== undefined && !this.zookeeper.isRunning) await this.zookeeper.start();
    const broker = this.kafka?.cluster.broker();
    broker?.resume();
    if (broker !== undefined && !broker.isRunning) await broker.start();
    const database = this.postgres?.server;
    database?.resume();
    if (database !== undefined && !database.process.isRunning) await database.start();
  }

  /** Ends and deletes everything. */
  async close(): Promise<void> {
    // Those that are about to be started again must not be.
    await Promise.all(this.members.map((each) => each.kill()));
    await Promise.all([this.zookeeper?.remove(), this.kafka?.cluster.remove(), this.postgres?.server.remove(), ...this.links.map((link) => link.close())]);
    this.disk.remove();
    await this.cluster.stop();
  }
}

function definitions(highAvailability: HighAvailability, slotIsolation: SlotIsolation, disk: string): Record<string, string> {
  return {
    "high-availability.type": highAvailability, "high-availability.storageDir": join(disk, "ha"), "heartbeat.interval": "1 s", "heartbeat.timeout": `${HEARTBEAT_TIMEOUT_MS} ms`,
    "taskmanager.numberOfTaskSlots": String(SLOTS_PER_TASK_MANAGER), "cluster.evenly-spread-out-slots": "true",
    "slot.isolation": slotIsolation,
  };
}

function member(number: number, { cluster, journal, zookeeperPort }: { readonly cluster: LocalCluster; readonly journal: Journal; readonly zookeeperPort: number | undefined }): Member {
  const zookeeper: Record<string, string> = zookeeperPort === undefined ? {} : { "high-availability.zookeeper.quorum": `${addresses.zookeeper(number)}:${zookeeperPort}` };
  if (number <= 2) {
    const define = { ...zookeeper, "jobmanager.bind-host": addresses.bind(number), "jobmanager.rpc.address": addresses.advertised(number), "jobmanager.rpc.port": String(RPC_PORT), "rest.bind-address": addresses.bind(number), "rest.port": String(REST_PORT) };
    return new Member({ name: `jobmanager-${number}`, command: "jobmanager", define, cluster, journal });
  }
  const name = `taskmanager-${number - 2}`;
  const define = {
    ...zookeeper, "taskmanager.bind-host": addresses.bind(number), "taskmanager.host": addresses.advertised(number), "taskmanager.resource-id": name,
    "taskmanager.data.port": `${DATA_PORTS[0]}-${DATA_PORTS.at(-1)}`,
  };
  return new Member({ name, command: "taskmanager", define, cluster, journal });
}
