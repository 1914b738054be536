// Starts real servers to try things with, until Ctrl-C: `npm run services -- kafka postgres mariadb s3 zookeeper`.
import { parseArgs } from "node:util";
import { KafkaCluster } from "./kafka/kafka-cluster.js";
import { MariadbServer } from "./mariadb/mariadb-server.js";
import { PostgresServer } from "./postgres/postgres-server.js";
import { S3Server } from "./s3/s3-server.js";
import { ZooKeeperServer } from "./zookeeper/zookeeper-server.js";

interface Service {
  readonly address: string;
  remove(): Promise<void>;
}

const services: Readonly<Record<string, () => Promise<Service>>> = {
  kafka: async () => {
    const kafka = await KafkaCluster.start();
    return { address: kafka.bootstrapServers, remove: () => kafka.remove() };
  },
  mariadb: async () => {
    const mariadb = await MariadbServer.start();
    return { address: mariadb.url, remove: () => mariadb.remove() };
  },
  postgres: async () => {
    const postgres = await PostgresServer.start();
    return { address: postgres.url, remove: () => postgres.remove() };
  },
  s3: async () => {
    const s3 = await S3Server.start();
    return { address: Object.entries(s3.environment).map(([name, value]) => `${name}=${value}`).join(" "), remove: () => s3.remove() };
  },
  zookeeper: async () => {
    const zookeeper = await ZooKeeperServer.start();
    return { address: zookeeper.quorum, remove: () => zookeeper.remove() };
  },
};

const usage = `usage: npm run services -- SERVICE…
Starts each SERVICE (${Object.keys(services).join(", ")}) on a free port with empty data, prints its address, and removes it on Ctrl-C.

  npm run services -- kafka
  npm run services -- postgres mariadb`;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { help: { type: "boolean", short: "h" } } });
const unknown = positionals.find((name) => services[name] === undefined);
if (values.help || positionals.length === 0 || unknown !== undefined) {
  if (unknown !== undefined) console.error(`There is no service ${unknown}.`);
  console[values.help ? "log" : "error"](usage);
  process.exit(values.help ? 0 : 2);
}

const started: Service[] = [];
let ending = false;
async function end(exitCode: number): Promise<void> {
  if (ending) return;
  ending = true;
  await Promise.all(started.map((service) => service.remove()));
  process.exit(exitCode);
}
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => void end(0));

await Promise.all(positionals.map(async (name) => {
  try {
    const service = await services[name]!();
    if (ending) return await service.remove();
    started.push(service);
    console.log(`${name}\t${service.address}`);
  } catch (error) {
    if (!ending) console.error(`${name}: ${(error as Error).message}`);
    await end(1);
  }
}));
if (!ending) console.log("Running. Ctrl-C stops them and deletes their data.");
// Nothing else may keep this process alive: the servers are what it waits for.
setInterval(() => undefined, 1 << 30);
