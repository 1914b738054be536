import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { connect as connectTls } from "node:tls";
import { Configuration, processOptions, type LogSink } from "@millrace/core";
import { NodeNet } from "@millrace/env-node";
import { EmbeddedGateway } from "../../src/rest/gateway/embedded-gateway.js";
import { startConfiguredServer } from "../../src/rest/configured-server.js";
import { reloadedCredentials } from "../../src/security/internal-tls.js";
import { Reloaded } from "../../src/security/reloaded.js";
import { ClusterCertificates } from "./cluster-certificates.js";

/* Certificates that are replaced on disk while others are connected, over real connections. */
const cluster = new ClusterCertificates();
after(() => cluster.remove());

const file = (name: string): string => join(cluster.directory, name);

/** Puts another certificate in the place of `used`. */
function replace(name: string, parts: readonly ("pem" | "key")[] = ["pem", "key"]): void {
  for (const part of parts) copyFileSync(file(`${name}.${part}`), file(`used.${part}`));
}

function logged(): { readonly lines: string[]; readonly log: LogSink } {
  const lines: string[] = [];
  return { lines, log: { write: (level, line) => void lines.push(`${level} ${line}`) } };
}

test("what can be used takes the place of what was there; what cannot is logged once, if it stays", () => {
  const { lines, log } = logged();
  let content: string | Error = "a";
  const taken: string[] = [];
  const reloaded = new Reloaded({
    what: "the file", textOf: (text: string) => text, intervalMs: 0, log,
    read: () => {
      if (content instanceof Error) throw content;
      return content;
    },
  });
  const ignore = reloaded.onChange((value) => taken.push(value));
  const become = (next: string | Error, looks = 1): void => {
    content = next;
    for (let i = 0; i < looks; i++) reloaded.look();
  };
  become("a", 2);
  assert.deepEqual(taken, []);
  become(new Error("half written"));
  become("b");
  assert.deepEqual([reloaded.current, taken, lines], ["b", ["b"], ["info the file was replaced; new connections use it"]]);
  become(new Error("no key"), 5);
  become(new Error("no file"), 5);
  assert.equal(reloaded.current, "b");
  assert.deepEqual(lines.slice(1), ["no key", "no file"].map((why) => `warn the file was replaced, and the one before stays in use: ${why}`));
  ignore();
  become("c");
  assert.deepEqual([reloaded.current, taken], ["c", ["b"]]);
});

test("processes show a replaced certificate to new connections; those that are open stay, and a bad one changes nothing", async (t) => {
  for (const name of ["first", "second", "third"]) await cluster.make(name, { role: "internal" });
  replace("first");
  const { lines, log } = logged();
  const config = Configuration.of({
    "security.ssl.internal.enabled": true, "security.ssl.internal.certificate": file("used.pem"), "security.ssl.internal.key": file("used.key"), "security.ssl.internal.ca": file("ca.pem"),
    "security.ssl.reload-interval": 0,
  }, processOptions);
  const credentials = reloadedCredentials(config, log)!;
  const net = new NodeNet(credentials);
  const seen: (string | undefined)[] = [];
  const listener = await net.listen("127.0.0.1", 0, (connection) => {
    seen.push(connection.peer?.certificate?.name);
    connection.onData = (bytes) => connection.write(bytes);
  });
  t.after(() => listener.close());
  const connected = async () => {
    const connection = await net.connect("127.0.0.1", listener.port);
    const echo = (): Promise<void> => new Promise((resolve) => {
      connection.onData = () => resolve();
      connection.write(Buffer.from("x"));
    });
    await echo();
    return { server: connection.peer?.certificate?.name, echo, close: () => connection.close() };
  };
  const first = await connected();
  replace("second");
  credentials.look();
  const second = await connected();
  // The key comes later, or never.
  replace("third", ["pem"]);
  credentials.look();
  credentials.look();
  const third = await connected();
  assert.deepEqual([first.server, second.server, third.server], ["first", "second", "second"]);
  assert.deepEqual(seen, ["first", "second", "second"]);
  assert.match(lines.at(-1)!, /^warn .*stays in use.*used\.key.*not the key of the certificate/);
  for (const connection of [first, second, third]) {
    await connection.echo();
    connection.close();
  }
});

test("the REST server shows a replaced certificate, and refuses to start with one that does not fit its key", async (t) => {
  for (const name of ["rest-first", "rest-second"]) await cluster.make(name, { hosts: ["localhost"] });
  replace("rest-first");
  const { lines, log } = logged();
  const config = (key: string): Configuration => Configuration.of({
    "rest.port": "0", "security.ssl.rest.enabled": true, "security.ssl.rest.certificate": file("used.pem"), "security.ssl.rest.key": file(key), "security.ssl.reload-interval": 5,
  }, processOptions);
  const gateway = new EmbeddedGateway({ version: "0.1.0", config: {} });
  t.after(() => gateway.close());
  await assert.rejects(startConfiguredServer(config("rest-second.key"), { gateway, version: "0.1.0", log }), { code: "TLS_CERTIFICATE_UNUSABLE" });
  const server = await startConfiguredServer(config("used.key"), { gateway, version: "0.1.0", log });
  t.after(() => server.close());
  const shown = (): Promise<unknown> => new Promise((resolve, reject) => {
    const socket = connectTls({ host: "127.0.0.1", port: Number(new URL(server.url).port), rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    }).once("error", reject);
  });
  assert.equal(await shown(), "rest-first");
  replace("rest-second");
  while (lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(await shown(), "rest-second");
});
