import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startRestServer } from "../../src/rest/rest-server.js";
import { makeCertificate } from "../../src/security/certificates.js";
import { Tokens, addToken } from "../../src/security/tokens.js";
import { oneJob } from "../rest/one-job.js";
import { http, raw } from "../rest/raw-request.js";

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-certs-"));
  try {
    await run(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test("certificates of the cluster's CA: the first call makes the CA, keys are private, nothing is overwritten", () => withDirectory(async (directory) => {
  const first = await makeCertificate({ directory, name: "server", hosts: ["localhost", "127.0.0.1"] });
  const second = await makeCertificate({ directory, name: "client", hosts: [], role: "operator" });
  assert.deepEqual([first.caIsNew, second.caIsNew], [true, false]);
  const ca = new X509Certificate(readFileSync(first.ca));
  assert.ok(ca.ca && ca.verify(ca.publicKey));
  for (const { certificate } of [first, second]) {
    const parsed = new X509Certificate(readFileSync(certificate));
    assert.ok(parsed.checkIssued(ca) && parsed.verify(ca.publicKey) && !parsed.ca);
  }
  assert.equal(new X509Certificate(readFileSync(first.certificate)).subjectAltName, "DNS:localhost, IP Address:127.0.0.1");
  for (const key of [first.key, join(directory, "ca.key")]) assert.equal(statSync(key).mode & 0o077, 0, key);
  await assert.rejects(makeCertificate({ directory, name: "server", hosts: [] }), { code: "CERTIFICATE_EXISTS" });
  for (const name of ["ca", "../x", "a/b", ""]) await assert.rejects(makeCertificate({ directory, name, hosts: [] }), { code: "CERTIFICATE_NAME_INVALID" });
  writeFileSync(join(directory, "ca.pem"), "damaged");
  await assert.rejects(makeCertificate({ directory, name: "third", hosts: [] }), { code: "CERTIFICATE_AUTHORITY_UNUSABLE" });
}));

test("TLS and client certificates: who has none of the CA's is cut off, who has one acts by its role", () => withDirectory(async (directory) => {
  const server = await makeCertificate({ directory, name: "server", hosts: ["localhost"] });
  const operator = await makeCertificate({ directory, name: "alice", hosts: [], role: "operator" });
  const viewer = await makeCertificate({ directory, name: "bob", hosts: [] });
  const other = mkdtempSync(join(directory, "other-"));
  const foreign = await makeCertificate({ directory: other, name: "mallory", hosts: [], role: "operator" });
  const job = await oneJob();
  const ca = readFileSync(server.ca);
  const rest = await startRestServer({
    gateway: job.gateway, version: "0", log: { write: () => undefined }, ports: [0], host: "0.0.0.0", clientCertificates: true,
    tls: { certificate: readFileSync(server.certificate), key: readFileSync(server.key), clientCa: ca },
  });
  const port = Number(new URL(rest.url).port);
  const as = (who: { certificate: string; key: string } | undefined) => ({ ca, servername: "localhost", ...(who === undefined ? {} : { cert: readFileSync(who.certificate), key: readFileSync(who.key) }) });
  const path = `/jobs/${job.jobGraph.jobId}`;
  try {
    await assert.rejects(raw(port, http("GET", "/overview"), as(undefined)));
    await assert.rejects(raw(port, http("GET", "/overview"), as(foreign)));
    assert.equal((await raw(port, http("GET", "/overview"), as(viewer))).status, 200);
    assert.equal((await raw(port, http("PATCH", path), as(viewer))).status, 403);
    assert.equal((await raw(port, http("PATCH", path), as(operator))).status, 202);
  } finally {
    await rest.close();
    job.gateway.close();
  }
}));

test("a tokens file holds hashes only, and is refused by line when it is wrong", () => withDirectory(async (directory) => {
  const file = join(directory, "tokens");
  const token = addToken(file, "ci", "submitter");
  assert.doesNotMatch(readFileSync(file, "utf8"), new RegExp(token));
  assert.equal(statSync(file).mode & 0o077, 0);
  assert.deepEqual(Tokens.read(file).find(token), { name: "ci", role: "submitter" });
  assert.equal(Tokens.read(file).find(`${token}x`), undefined);
  for (const line of ["ci boss sha256:00", "ci viewer plain", "ci viewer", `ci viewer sha256:${"0".repeat(64)} more`]) {
    writeFileSync(file, `# tokens\n${line}\n`);
    assert.throws(() => Tokens.read(file), (error: { code: string; message: string }) => error.code === "TOKENS_FILE_INVALID" && error.message.includes("line 2"));
  }
  assert.throws(() => Tokens.read(join(directory, "missing")), { code: "TOKENS_FILE_INVALID" });
  assert.throws(() => addToken(file, "a b", "viewer"), { code: "TOKEN_NAME_INVALID" });
}));
