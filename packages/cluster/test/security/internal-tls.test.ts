import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Configuration, JOBMANAGER_BIND_HOST, processOptions, type MillraceError } from "@millrace/core";
import { ClientSession } from "../../src/dispatcher/client-session.js";
import { internalCredentials, requireSafeBinding } from "../../src/security/internal-tls.js";
import { requireInternal, roleOfPeer } from "../../src/security/peer-roles.js";
import { ClusterCertificates } from "./cluster-certificates.js";

const cluster = new ClusterCertificates();
const elsewhere = new ClusterCertificates();

before(async () => {
  await cluster.make("node", { role: "internal" });
  await cluster.make("other", { role: "internal" });
  await cluster.make("old", { role: "internal", validDays: -0.02 });
  await elsewhere.make("node", { role: "internal" });
  writeFileSync(join(cluster.directory, "damaged.pem"), "-----BEGIN CERTIFICATE-----\nno\n");
});

after(() => {
  cluster.remove();
  elsewhere.remove();
});

function configured(certificate: string, key: string, ca = join(cluster.directory, "ca.pem")): Configuration {
  const file = (name: string): string => (name.startsWith("/") ? name : join(cluster.directory, name));
  return Configuration.of({
    "security.ssl.internal.enabled": true, "security.ssl.internal.certificate": file(certificate), "security.ssl.internal.key": file(key), "security.ssl.internal.ca": ca,
  }, processOptions);
}

test("credentials are read, and everything that is wrong with them is told with file and option before anything listens", () => {
  assert.equal(internalCredentials(Configuration.of({}, processOptions)), undefined);
  const { certificate, serverUnit } = internalCredentials(configured("node.pem", "node.key"))!;
  assert.match(certificate, /BEGIN CERTIFICATE/);
  assert.equal(serverUnit, "internal");
  const wrong: readonly [Configuration, string, RegExp][] = [
    [Configuration.of({ "security.ssl.internal.enabled": true }, processOptions), "TLS_FILE_UNREADABLE", /certificate.*not set/],
    [configured("absent.pem", "node.key"), "TLS_FILE_UNREADABLE", /ENOENT/],
    [configured("damaged.pem", "node.key"), "TLS_CERTIFICATE_UNUSABLE", /damaged\.pem.*security\.ssl\.internal\.certificate/],
    [configured("node.pem", "other.key"), "TLS_CERTIFICATE_UNUSABLE", /not the key of the certificate/],
    [configured("node.pem", "node.key", join(elsewhere.directory, "ca.pem")), "TLS_CERTIFICATE_UNUSABLE", /not signed by the CA/],
    [configured("node.pem", "node.key", join(cluster.directory, "node.pem")), "TLS_CERTIFICATE_UNUSABLE", /not the certificate of a CA/],
    [configured("old.pem", "old.key"), "TLS_CERTIFICATE_UNUSABLE", /has expired/],
  ];
  for (const [config, code, message] of wrong) assert.throws(() => internalCredentials(config), (error: MillraceError) => error.code === code && message.test(error.message), String(message));
});

test("only loopback goes without TLS", () => {
  for (const host of ["127.0.0.1", "127.0.0.2", "::1", "localhost"]) requireSafeBinding(host, JOBMANAGER_BIND_HOST, undefined);
  for (const host of ["0.0.0.0", "::", "10.0.0.5", "jobmanager.example.org"]) {
    assert.throws(() => requireSafeBinding(host, JOBMANAGER_BIND_HOST, undefined), { code: "BIND_NOT_LOOPBACK" });
    requireSafeBinding(host, JOBMANAGER_BIND_HOST, internalCredentials(configured("node.pem", "node.key")));
  }
});

test("a certificate's OU says what its owner may do", () => {
  const peer = (unit?: string) => ({ address: "h:1", certificate: { name: "alice", unit } });
  assert.deepEqual([undefined, { address: "h:1" }, peer("internal")].map(roleOfPeer), ["internal", "internal", "internal"]);
  assert.deepEqual([peer("operator"), peer("submitter"), peer("viewer"), peer(), peer("INTERNAL"), peer("root")].map(roleOfPeer), ["operator", "submitter", "viewer", "viewer", "viewer", "viewer"]);
  for (const unit of ["operator", "submitter", "viewer", undefined]) assert.throws(() => requireInternal(peer(unit), "a TaskManager"), { code: "PEER_NOT_ALLOWED" });
});

test("a client may do what its role allows, and stop what it has submitted itself", async () => {
  const jobs = new Map<string, { readonly master: object }>();
  const job = (jobId: string) => ({ master: { status: "RUNNING", cancel: () => undefined, result: Promise.resolve(), triggerCheckpoint: () => "path" }, jobId });
  for (const id of ["a".repeat(32)]) jobs.set(id, job(id));
  const session = (role: "viewer" | "submitter" | "operator" | "internal"): ClientSession => new ClientSession({
    role, overview: () => ({}) as never, fs: undefined as never, blobs: { has: async () => true } as never,
    dispatcher: { idsLike: (id: string) => [...jobs.keys()].filter((key) => key.startsWith(id)), job: (id: string) => jobs.get(id), list: () => [], submit: async ({ jobGraph }: { jobGraph: { jobId: string } }) => jobs.set(jobGraph.jobId, job(jobGraph.jobId)) } as never,
  }, {} as never);
  const may = async (role: Parameters<typeof session>[0], method: string, body: unknown, of = session(role)): Promise<boolean> => {
    try {
      await of.request(method, body);
      return true;
    } catch (error) {
      assert.equal((error as MillraceError).code, "PEER_NOT_ALLOWED", (error as Error).message);
      return false;
    }
  };
  const roles = ["viewer", "submitter", "operator", "internal"] as const;
  const allowed = (method: string, body: unknown): Promise<boolean[]> => Promise.all(roles.map((role) => may(role, method, body)));
  assert.deepEqual(await allowed("jobStatus", { jobId: "a" }), [true, true, true, true]);
  assert.deepEqual(await allowed("hasBlob", { key: "x" }), [false, true, true, true]);
  assert.deepEqual(await allowed("cancelJob", { jobId: "a" }), [false, false, true, true]);
  const own = session("submitter");
  assert.ok(await may("submitter", "submitJob", { jobGraph: { jobId: "b".repeat(32) }, attached: false }, own));
  assert.ok(await may("submitter", "cancelJob", { jobId: "b".repeat(32) }, own));
  assert.ok(!(await may("submitter", "cancelJob", { jobId: "a".repeat(32) }, own)));
});
