// Against a real ZooKeeper server, private to this file.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { Configuration, processOptions, isMillraceError, type Coordination } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import { AppendLog } from "../../cluster/test/high-availability/append-log.js";
import { coordinationContract, lead, untilLeader } from "../../cluster/test/high-availability/coordination-contract.js";
import { ZooKeeperServer, zookeeperMissing } from "../../../tools/services/zookeeper/zookeeper-server.js";
import { createCoordination } from "../src/zookeeper-coordination.js";

const missing = zookeeperMissing();
if (missing !== undefined) test("ZooKeeper", { skip: missing }, () => undefined);
else run();

function run(): void {
  const env = { ...createNodeEnv(), log: { write: () => undefined } };
  let server: ZooKeeperServer;
  let clusters = 0;
  before(async () => {
    server = await ZooKeeperServer.start();
  });
  after(() => server.remove());

  const connect = (clusterId: string, overrides: Record<string, unknown> = {}): Coordination =>
    createCoordination(env, Configuration.of({
      "high-availability.zookeeper.quorum": server.quorum, "high-availability.zookeeper.client.session-timeout": "60 s",
      "high-availability.zookeeper.client.retry-wait": "100 ms", "high-availability.zookeeper.client.connection-timeout": "2 s", ...overrides,
    }, processOptions), clusterId);

  coordinationContract({
    name: "zookeeper",
    fresh: async () => {
      const clusterId = `contract-${clusters++}`;
      return () => connect(clusterId);
    },
  });

  test("with a login nobody else may read or write", async () => {
    const auth = { "high-availability.zookeeper.client.digest-auth": "millrace:s3cret" };
    const a = connect("secured", auth);
    const { token } = await lead(a, "a");
    await a.store.commit(token, [{ type: "put", key: "k", value: "v" }]);
    const stranger = connect("secured");
    await assert.rejects(stranger.store.get("k"), (error) => isMillraceError(error) && error.message.includes("noAuth"));
    const friend = connect("secured", auth);
    assert.equal((await friend.store.get("k"))?.value, "v");
    await Promise.all([a.close(), stranger.close(), friend.close()]);
  });

  test("when the server dies and comes back, the leader leads again under a larger token, with everything there", async () => {
    const [a, observer] = [connect("restart"), connect("restart")];
    const tokens: number[] = [];
    let onEvent: () => void = () => undefined;
    let revocations = 0;
    const election = a.elect("a", { granted: (token) => void (tokens.push(token), onEvent()), revoked: () => void (revocations++, onEvent()), failed: () => undefined });
    const until = async (holds: () => boolean): Promise<void> => {
      while (!holds()) await new Promise<void>((resolve) => (onEvent = resolve));
    };
    await until(() => tokens.length === 1);
    await a.store.commit(tokens[0]!, [{ type: "put", key: "k", value: "before" }]);
    await election.publish(tokens[0]!, { dispatcher: "first" });
    await server.stop();
    await until(() => revocations === 1);
    await assert.rejects(a.store.commit(tokens[0]!, [{ type: "put", key: "k", value: "lost" }]), (error) => isMillraceError(error) && error.code === "LEADERSHIP_LOST");
    await server.start();
    await until(() => tokens.length === 2);
    assert.ok(tokens[1]! > tokens[0]!);
    assert.equal((await a.store.get("k"))?.value, "before");
    await election.publish(tokens[1]!, { dispatcher: "second" });
    assert.equal((await untilLeader(observer, (leader) => leader?.addresses["dispatcher"] === "second"))?.fencingToken, tokens[1]);
    await Promise.all([a.close(), observer.close()]);
  });

  test("a leader that tolerates a broken connection keeps its token when the session lives on", async () => {
    const a = connect("tolerant", { "high-availability.zookeeper.client.tolerate-suspended-connections": true });
    const { token, revoked } = await lead(a, "a");
    let lost = false;
    void revoked.then(() => (lost = true));
    await server.stop();
    const commit = a.store.commit(token, [{ type: "put", key: "k", value: "across" }]);
    await server.start();
    await commit;
    assert.equal(lost, false);
    assert.equal((await a.store.get("k"))?.value, "across");
    await a.close();
  });

  test("a silent server is left, and a session that expires meanwhile is followed by a new one", async () => {
    const options = { "high-availability.zookeeper.client.session-timeout": "1 s" };
    const a = connect("silent", options);
    const tokens: number[] = [];
    let onGrant: () => void = () => undefined;
    let onRevoke: () => void = () => undefined;
    const state = { leads: false };
    const grant = (): Promise<void> => new Promise((resolve) => (onGrant = resolve));
    a.elect("a", {
      granted: (token) => {
        tokens.push(token);
        state.leads = true;
        onGrant();
      },
      revoked: () => {
        state.leads = false;
        onRevoke();
      },
      failed: () => undefined,
    });
    // On a busy machine a session of a second may expire at any time.
    while (!state.leads) await grant();
    const revoked = new Promise<void>((resolve) => (onRevoke = resolve));
    process.kill(server.pid!, "SIGSTOP");
    await revoked;
    const again = grant();
    process.kill(server.pid!, "SIGCONT");
    await again;
    assert.deepEqual(tokens, [...new Set(tokens)].sort((x, y) => x - y));
    const commit = (): Promise<unknown> => a.store.commit(tokens.at(-1)!, [{ type: "put", key: "k", value: "v" }]).catch(() => (state.leads ? commit() : grant().then(commit)));
    await commit();
    await a.close();
  });

  test("with contenders coming and going and the server crashing, no confirmed write is lost and none comes from an old leader", async () => {
    const log = new AppendLog();
    const options = { "high-availability.zookeeper.client.session-timeout": "2 s" };
    let born = 0;
    const join = (): Coordination => {
      const coordination = connect("fuzz", options);
      log.contend(coordination, `jm${born++}`, () => new Promise((resolve) => void setImmediate(resolve)));
      return coordination;
    };
    const members = [join(), join(), join()];
    for (let round = 1; round <= 6; round++) {
      await log.more(15);
      if (round % 2 === 0) {
        await server.stop();
        await server.start();
      } else {
        void members.shift()!.close();
        members.push(join());
      }
    }
    await log.more(15);
    await Promise.all(members.map((member) => member.close()));
    const reader = connect("fuzz");
    log.judge((await reader.store.get("log"))?.value);
    assert.ok(log.grants.length >= 4, `${log.grants.length} grants`);
    await reader.close();
  });
}
