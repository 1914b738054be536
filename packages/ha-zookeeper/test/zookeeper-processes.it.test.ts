import { test } from "node:test";
import { processOptions, Configuration, type Coordination } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import { ContenderProcess, surviveKillAndStop } from "../../cluster/test/high-availability/contender-processes.js";
import { ZooKeeperServer, zookeeperMissing } from "../../../tools/services/zookeeper/zookeeper-server.js";
import { createCoordination } from "../src/zookeeper-coordination.js";

test("ZooKeeper: kill -9 of the leader, then SIGSTOP of the next", { skip: zookeeperMissing() ?? false }, async () => {
  const server = await ZooKeeperServer.start();
  let reader: Coordination | undefined;
  try {
    reader = createCoordination(createNodeEnv(), Configuration.of({ "high-availability.zookeeper.quorum": server.quorum }, processOptions), "processes");
    const store = reader.store;
    const start = (name: string): ContenderProcess => new ContenderProcess(["zookeeper", server.quorum, name, "high-availability.zookeeper.client.session-timeout=2 s"]);
    await surviveKillAndStop(start, async () => (await store.get("log"))?.value);
  } finally {
    await reader?.close();
    await server.remove();
  }
});
