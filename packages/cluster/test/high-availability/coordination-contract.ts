// What every Coordination promises, as tests that each implementation runs.
import { test } from "node:test";
import assert from "node:assert/strict";
import { isMillraceError, type Coordination, type Election, type LeaderInformation } from "@millrace/core";

/** Makes handles of processes that belong to one cluster; each call of `fresh` is a cluster of its own. */
export interface ContractSubject {
  readonly name: string;
  /** A function that connects one more process; `undefined` skips. */
  readonly fresh: () => Promise<() => Coordination>;
}

const withCode = (code: string) => (error: unknown): boolean => isMillraceError(error) && error.code === code;

/** Joins and waits for leadership. */
export function lead(coordination: Coordination, name: string): Promise<{ readonly token: number; readonly election: Election; readonly revoked: Promise<void> }> {
  return new Promise((resolve, reject) => {
    let onRevoked: () => void;
    const revoked = new Promise<void>((done) => (onRevoked = done));
    const election = coordination.elect(name, { granted: (token) => resolve({ token, election, revoked }), revoked: () => onRevoked(), failed: reject });
  });
}

/** Waits until the watched leader is as wanted. */
export function untilLeader(coordination: Coordination, wanted: (leader: LeaderInformation | undefined) => boolean): Promise<LeaderInformation | undefined> {
  return new Promise((resolve) => {
    const watch = coordination.watchLeader((leader) => {
      if (!wanted(leader)) return;
      setImmediate(() => watch.close());
      resolve(leader);
    });
  });
}

export function coordinationContract(subject: ContractSubject): void {
  test(`${subject.name}: one leads, the next takes over under a larger token when it leaves, and reads what it wrote`, async () => {
    const connect = await subject.fresh();
    const [a, b] = [connect(), connect()];
    const first = await lead(a, "a");
    const second = lead(b, "b");
    await a.store.commit(first.token, [{ type: "put", key: "jobs/j1/plan", value: "x" }]);
    await first.election.close();
    const { token } = await second;
    assert.ok(token > first.token);
    assert.equal((await b.store.get("jobs/j1/plan"))?.value, "x");
    await assert.rejects(a.store.commit(first.token, [{ type: "put", key: "jobs/j1/plan", value: "y" }]), withCode("LEADERSHIP_LOST"));
    await assert.rejects(first.election.publish(first.token, { dispatcher: "old" }), withCode("LEADERSHIP_LOST"));
    assert.equal((await b.store.get("jobs/j1/plan"))?.value, "x");
    await Promise.all([a.close(), b.close()]);
  });

  test(`${subject.name}: a commit is all or nothing, and expectations are checked`, async () => {
    const connect = await subject.fresh();
    const a = connect();
    const { token } = await lead(a, "a");
    await a.store.commit(token, [{ type: "put", key: "k", value: "1", expect: "absent" }, { type: "put", key: "d/x", value: "x" }, { type: "put", key: "d/y", value: "ü€" }]);
    const { version } = (await a.store.get("k"))!;
    await assert.rejects(a.store.commit(token, [{ type: "delete", key: "d/x" }, { type: "put", key: "k", value: "2", expect: "absent" }]), withCode("HA_CONFLICT"));
    await assert.rejects(a.store.commit(token, [{ type: "delete", key: "d/x" }, { type: "delete", key: "none", expect: 0 }]), withCode("HA_CONFLICT"));
    assert.deepEqual(await a.store.list("d"), ["x", "y"], "nothing of a failed commit is there");
    await a.store.commit(token, [{ type: "put", key: "k", value: "2", expect: version }, { type: "delete", key: "d/x" }, { type: "delete", key: "absent" }]);
    await assert.rejects(a.store.commit(token, [{ type: "put", key: "k", value: "3", expect: version }]), withCode("HA_CONFLICT"));
    assert.equal((await a.store.get("k"))!.value, "2");
    assert.equal((await a.store.get("d/y"))!.value, "ü€");
    assert.equal(await a.store.get("d/x"), undefined);
    assert.equal(await a.store.get("nothing"), undefined);
    assert.deepEqual(await a.store.list("nothing"), []);
    assert.deepEqual(await a.store.list(""), ["d", "k"]);
    await a.close();
  });

  test(`${subject.name}: keys that lead elsewhere and values that are too large are refused`, async () => {
    const connect = await subject.fresh();
    const a = connect();
    const { token } = await lead(a, "a");
    for (const key of ["", "/k", "k/", "a//b", "a/../b", ".", "a b", "a\0"]) {
      await assert.rejects(a.store.commit(token, [{ type: "put", key, value: "" }]), withCode("HA_KEY_INVALID"), key);
    }
    await assert.rejects(a.store.commit(token, [{ type: "put", key: "k", value: "x".repeat(300_000) }]), withCode("HA_VALUE_TOO_LARGE"));
    await a.close();
  });

  test(`${subject.name}: a token that was never granted writes nothing`, async () => {
    const connect = await subject.fresh();
    const [a, b] = [connect(), connect()];
    const { token } = await lead(a, "a");
    for (const [handle, wrong] of [[a, token + 1], [a, token - 1], [b, token + 1]] as const) {
      await assert.rejects(handle.store.commit(wrong, [{ type: "put", key: "k", value: "1" }]), withCode("LEADERSHIP_LOST"));
    }
    assert.equal(await a.store.get("k"), undefined);
    await Promise.all([a.close(), b.close()]);
  });

  test(`${subject.name}: everybody is told the leader's addresses and token, and its successor's`, async () => {
    const connect = await subject.fresh();
    const [a, b, observer] = [connect(), connect(), connect()];
    const first = await lead(a, "a");
    await first.election.publish(first.token, { dispatcher: "a:1" });
    await first.election.publish(first.token, { dispatcher: "a:1", rest: "a:2" });
    const known = await untilLeader(observer, (leader) => leader?.addresses["rest"] !== undefined);
    assert.deepEqual(known, { fencingToken: first.token, addresses: { dispatcher: "a:1", rest: "a:2" } });
    const second = lead(b, "b");
    await a.close();
    const { election, token } = await second;
    await election.publish(token, { dispatcher: "b:1" });
    const next = await untilLeader(observer, (leader) => leader !== undefined && leader.fencingToken > first.token && leader.addresses["dispatcher"] !== undefined);
    assert.deepEqual(next, { fencingToken: token, addresses: { dispatcher: "b:1" } });
    await Promise.all([b.close(), observer.close()]);
  });

  test(`${subject.name}: what is stored survives when nobody is left`, async () => {
    const connect = await subject.fresh();
    const a = connect();
    const first = await lead(a, "a");
    await a.store.commit(first.token, Array.from({ length: 50 }, (_, i) => ({ type: "put" as const, key: `jobs/j${i}/plan`, value: `${i}` })));
    await a.close();
    const b = connect();
    const { token } = await lead(b, "b");
    assert.ok(token > first.token);
    assert.equal((await b.store.list("jobs")).length, 50);
    assert.equal((await b.store.get("jobs/j49/plan"))?.value, "49");
    await b.close();
  });
}
