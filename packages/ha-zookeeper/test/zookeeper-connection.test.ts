// What the client does with servers that are not ZooKeeper, and its wire format.
import { test } from "node:test";
import assert from "node:assert/strict";
import { createServer, type AddressInfo, type Socket } from "node:net";
import * as fc from "fast-check";
import { processOptions, Configuration, isMillraceError } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import { JuteReader, JuteWriter, PacketSplitter } from "../src/jute.js";
import { createCoordination } from "../src/zookeeper-coordination.js";

test("what is written is read again, in whichever pieces the packets come (property)", () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.string({ unit: "grapheme" }), fc.boolean())), fc.integer({ min: 1, max: 50 }), (records, step) => {
    const packets = records.map(([int, long, text, bool]) => new JuteWriter().int(int).long(long).string(text).bool(bool).strings([text]).packet());
    const stream = Buffer.concat(packets);
    const splitter = new PacketSplitter();
    const found: unknown[] = [];
    for (let at = 0; at < stream.length; at += step) {
      for (const packet of splitter.push(new Uint8Array(stream.subarray(at, at + step)))) {
        const reader = new JuteReader(packet);
        found.push([reader.int(), reader.long(), reader.string(), reader.bool(), reader.strings()]);
      }
    }
    assert.deepEqual(found, records.map(([int, long, text, bool]) => [int, long, text, bool, [text]]));
  }));
});

test("any bytes are read or refused by code (property)", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    for (const read of [(r: JuteReader) => r.string(), (r: JuteReader) => r.strings(), (r: JuteReader) => r.buffer(), (r: JuteReader) => r.long()]) {
      try {
        read(new JuteReader(bytes));
      } catch (error) {
        assert.ok(isMillraceError(error) && error.code === "ZOOKEEPER_PROTOCOL");
      }
    }
  }));
});

/** A server that does `answer` with each connection; runs until the client has come back `times`. */
async function against(answer: (socket: Socket) => void, times: number): Promise<string[]> {
  const warnings: string[] = [];
  let connections = 0;
  let done: () => void;
  const enough = new Promise<void>((resolve) => (done = resolve));
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    answer(socket);
    if (++connections >= times) done();
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  try {
    const coordination = createCoordination(
      { ...createNodeEnv(), log: { write: (_level, line) => void warnings.push(line) } },
      Configuration.of({
        "high-availability.zookeeper.quorum": `127.0.0.1:${(server.address() as AddressInfo).port}`,
        "high-availability.zookeeper.client.retry-wait": "10 ms", "high-availability.zookeeper.client.session-timeout": "300 ms",
      }, processOptions), "c");
    const read = coordination.store.get("k");
    read.catch(() => undefined);
    await enough;
    await coordination.close();
    await assert.rejects(read, (error) => isMillraceError(error) && error.code === "HA_UNAVAILABLE");
  } finally {
    server.close();
  }
  return warnings;
}

test("a server that announces 2 GiB, speaks HTTP, hangs up or says nothing is left and tried again", async () => {
  assert.match((await against((socket) => void socket.write(Buffer.from([0x7f, 0xff, 0xff, 0xff])), 3)).join(), /2147483647 bytes/);
  assert.match((await against((socket) => void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"), 3)).join(), /does not allow/);
  await against((socket) => socket.destroy(), 4);
  assert.match((await against((socket) => void socket.resume(), 2)).join(), /silent for/);
});

test("options that cannot be are refused by key", () => {
  const make = (config: Record<string, unknown>) => (): unknown => createCoordination(createNodeEnv(), Configuration.of(config, processOptions), "c");
  const withCode = (code: string) => (error: unknown): boolean => isMillraceError(error) && error.code === code && error.location.option?.startsWith("high-availability.zookeeper") === true;
  assert.throws(make({}), withCode("HA_OPTION_MISSING"));
  for (const quorum of ["a:b", "a,,b", "host:99999", "http://zk:2181", "a:1/chroot"]) assert.throws(make({ "high-availability.zookeeper.quorum": quorum }), withCode("CONFIG_BAD_VALUE"), quorum);
  assert.throws(make({ "high-availability.zookeeper.quorum": "a:1", "high-availability.zookeeper.path.root": "no" }), withCode("CONFIG_BAD_VALUE"));
});
