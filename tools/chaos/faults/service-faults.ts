import { sleep } from "../world/waiting.js";
import type { World } from "../world/world.js";
import { between, type Fault, type FaultContext } from "./fault.js";

/** Faults of the same service do not meet. */
function oneAtATime(fault: Fault, shared: { isBusy: boolean }): Fault {
  return {
    ...fault,
    async strike(context) {
      if (shared.isBusy) return;
      shared.isBusy = true;
      try {
        await fault.strike(context);
      } finally {
        shared.isBusy = false;
      }
    },
  };
}

const diskFull: Fault = {
  name: "disk-full", applies: () => true,
  async strike({ world, journal, random, signal }: FaultContext) {
    const ms = between(random, 1000, 9000);
    const pids = world.pids;
    journal.strike("disk-full", `for ${Math.round(ms)} ms`);
    try {
      // What is freed meanwhile is taken again.
      for (const endMs = performance.now() + ms; performance.now() < endMs; await sleep(Math.max(0, Math.min(200, endMs - performance.now())), signal)) world.disk.makeFull(pids);
    } finally {
      world.disk.free(pids);
    }
  },
};

const zookeeperKilled: Fault = {
  name: "zookeeper-killed", applies: ({ zookeeper }: World) => zookeeper !== undefined,
  async strike({ world: { zookeeper }, journal, random, signal }: FaultContext) {
    journal.strike("zookeeper-killed", "kill -9, started again on its data");
    await zookeeper!.stop();
    await sleep(between(random, 0, 7000), signal);
    await zookeeper!.start();
  },
};

const brokerKilled: Fault = {
  name: "broker-killed", applies: ({ kafka }: World) => kafka !== undefined,
  async strike({ world: { kafka }, journal, random, signal }: FaultContext) {
    const broker = kafka!.cluster.broker();
    journal.strike("broker-killed", "kill -9, started again on its data");
    await broker.stop();
    await sleep(between(random, 0, 5000), signal);
    await broker.start();
  },
};

const brokerPaused: Fault = {
  name: "broker-paused", applies: ({ kafka }: World) => kafka !== undefined,
  async strike({ world: { kafka }, journal, random, signal }: FaultContext) {
    const broker = kafka!.cluster.broker();
    const ms = between(random, 500, 12_000);
    journal.strike("broker-paused", `for ${Math.round(ms)} ms`);
    broker.pause();
    try {
      await sleep(ms, signal);
    } finally {
      broker.resume();
    }
  },
};

const hasPostgres = ({ postgres }: World): boolean => postgres !== undefined;

const databaseKilled: Fault = {
  name: "database-killed", applies: hasPostgres,
  async strike({ world: { postgres }, journal, random, signal }: FaultContext) {
    journal.strike("database-killed", "kill -9 of all its processes, started again on its data");
    await postgres!.server.kill();
    await sleep(between(random, 0, 5000), signal);
    await postgres!.server.start();
  },
};

/** All connections are lost, and none is taken until the server has recovered by itself. */
const databaseProcessKilled: Fault = {
  name: "database-process-killed", applies: hasPostgres,
  async strike({ world: { postgres }, journal, random }: FaultContext) {
    if (postgres!.server.killBackend(random)) journal.strike("database-process-killed", "kill -9 of the process of one connection");
  },
};

const databasePaused: Fault = {
  name: "database-paused", applies: hasPostgres,
  async strike({ world: { postgres }, journal, random, signal }: FaultContext) {
    const ms = between(random, 500, 12_000);
    journal.strike("database-paused", `for ${Math.round(ms)} ms`);
    postgres!.server.pause();
    try {
      await sleep(ms, signal);
    } finally {
      postgres!.server.resume();
    }
  },
};

/** Made for each run: what excludes what belongs to it. */
export function serviceFaults(): readonly Fault[] {
  const [kafka, postgres] = [{ isBusy: false }, { isBusy: false }];
  return [
    oneAtATime(diskFull, { isBusy: false }), oneAtATime(zookeeperKilled, { isBusy: false }), oneAtATime(brokerKilled, kafka), oneAtATime(brokerPaused, kafka),
    oneAtATime(databaseKilled, postgres), oneAtATime(databaseProcessKilled, postgres), oneAtATime(databasePaused, postgres),
  ];
}
