// What the REST server refuses, sent byte by byte.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ArtifactGateway, RestGateway } from "../../src/rest/gateway/rest-gateway.js";
import { RestServer, startRestServer } from "../../src/rest/rest-server.js";
import { Tokens, addToken } from "../../src/security/tokens.js";
import { withServer } from "./one-job.js";
import { http, raw } from "./raw-request.js";

const portOf = (server: RestServer): number => Number(new URL(server.url).port);
const JOB = "a".repeat(32);

async function withDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "millrace-security-"));
  try {
    await run(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

test("CVE-2020-17519: a log file's name cannot lead out of the log directory, however often it is encoded", () => withServer({}, async (server) => {
  for (const path of ["..%252f..%252f..%252fetc%252fpasswd", "..%2f..%2fetc%2fpasswd", "../../../../etc/passwd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/etc/passwd", "x%00.log"]) {
    for (const prefix of ["/jobmanager/logs/", "/v1/jobmanager/logs/", "/taskmanagers/embedded/logs/"]) {
      const answer = await raw(portOf(server), http("GET", prefix + path));
      assert.ok([400, 404].includes(answer.status), `${prefix}${path}: ${answer.status}`);
      assert.doesNotMatch(answer.body, /root:/);
    }
  }
}));

test("CVE-2020-17518: an upload's name cannot lead out of the upload directory", () => withDirectory(async (directory) => {
  const uploads = join(directory, "uploads");
  mkdirSync(uploads);
  const added: string[] = [];
  const artifacts = { add: async (name: string) => (added.push(name), { id: `id_${name}`, name, uploadedMs: 0 }) } as Partial<ArtifactGateway> as ArtifactGateway;
  const gateway = { artifacts } as Partial<RestGateway> as RestGateway;
  const server = await startRestServer({ gateway, version: "0", log: { write: () => undefined }, ports: [0], uploadDirectory: uploads, settings: { submitEnabled: true } });
  const upload = (name: string) => {
    const body = `--x\r\ncontent-disposition: form-data; name="jarfile"; filename="${name}"\r\ncontent-type: application/octet-stream\r\n\r\nexport {};\r\n--x--\r\n`;
    return raw(portOf(server), http("POST", "/jars/upload", { "content-type": "multipart/form-data; boundary=x" }, body));
  };
  try {
    for (const name of ["../../../../../../tmp/success.mjs", "..\\..\\evil.mjs", "/tmp/evil.mjs", "../evil.mjs", ".hidden.mjs", "%2e%2e%2fevil.mjs/../x.mjs"]) {
      assert.equal((await upload(name)).status, 400, name);
    }
    assert.equal((await upload("job.jar")).status, 400);
    assert.deepEqual(added, []);
    assert.deepEqual(readdirSync(directory), ["uploads"]);
    const good = await upload("job.mjs");
    assert.equal(good.status, 200, good.body);
    assert.deepEqual(JSON.parse(good.body), { filename: "id_job.mjs", status: "success" });
    assert.deepEqual(added, ["job.mjs"]);
    const left = readdirSync(uploads, { recursive: true }).filter((name) => String(name).endsWith(".upload"));
    assert.deepEqual(left, []);
  } finally {
    await server.close();
  }
  assert.ok(existsSync(uploads) && readdirSync(uploads).length === 0);
}));

test("an upload that does not come to its end is cut off, and leaves nothing behind", () => withDirectory((directory) =>
  withServer({ settings: { submitEnabled: true }, uploadDirectory: directory, headersTimeoutMs: 100, requestTimeoutMs: 200 }, async (server) => {
    const part = '--x\r\ncontent-disposition: form-data; name="jarfile"; filename="job.mjs"\r\n\r\nslowly';
    const answer = await raw(portOf(server), http("POST", "/jars/upload", { "content-type": "multipart/form-data; boundary=x", "content-length": "1000" }, part));
    assert.ok([400, 408].includes(answer.status), String(answer.status));
    while (readdirSync(directory, { recursive: true }).some((name) => String(name).endsWith(".upload"))) await new Promise((resolve) => setTimeout(resolve, 10));
  })));

test("uploads are refused unless web.submit.enable is set, before a byte of the file is read", () => withServer({}, async (server) => {
  const answer = await raw(portOf(server), http("POST", "/jars/upload", { "content-type": "multipart/form-data; boundary=x", "content-length": "100000000" }, "--x"));
  assert.equal(answer.status, 403);
}));

test("a body larger than allowed is refused, announced or not", () => withServer({}, async (server) => {
  const path = `/jobs/${JOB}/savepoints`;
  assert.equal((await raw(portOf(server), http("POST", path, { "content-length": "2147483648" }, "x"))).status, 413);
  const chunk = `100000\r\n${"x".repeat(0x100000)}\r\n`;
  const streamed = await raw(portOf(server), `${http("POST", path, { "transfer-encoding": "chunked" })}${chunk}${chunk}0\r\n\r\n`);
  assert.equal(streamed.status, 413);
}));

test("a client that does not finish its headers is cut off", () => withServer({ headersTimeoutMs: 100, requestTimeoutMs: 200 }, async (server) => {
  const answer = await raw(portOf(server), "GET /overview HTTP/1.1\r\nhost: localhost\r\nx-slow:");
  assert.equal(answer.status, 408);
}));

test("DNS rebinding: on loopback only this machine's names are served", () => withServer({}, async (server) => {
  for (const host of ["evil.example", "evil.example:8081", "localhost.evil.example", "169.254.169.254", "a b"]) {
    assert.ok([400, 403].includes((await raw(portOf(server), http("GET", "/overview", { host }))).status), host);
  }
  for (const host of ["localhost", "localhost:9000", "127.0.0.1:8081", "[::1]:8081"]) assert.equal((await raw(portOf(server), http("GET", "/overview", { host }))).status, 200, host);
}));

test("CSRF: what another site makes a browser send is refused", () => withServer({}, async (server, { master }) => {
  const port = portOf(server);
  const foreign: Record<string, string>[] = [
    { origin: "https://evil.example" }, { origin: "null" }, { origin: "http://localhost:3000", host: "localhost:8081" }, { "sec-fetch-site": "cross-site" }, { "sec-fetch-site": "same-site" },
  ];
  for (const headers of foreign) {
    assert.equal((await raw(port, http("PATCH", `/jobs/${JOB}`, headers))).status, 403, JSON.stringify(headers));
    assert.equal((await raw(port, http("GET", "/overview", headers))).status, 403, JSON.stringify(headers));
  }
  // A link of another site may lead to the dashboard, not to something that acts.
  const link = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  assert.equal((await raw(port, http("GET", "/overview", link))).status, 200);
  assert.equal((await raw(port, http("GET", `/jobs/${JOB}/yarn-cancel`, link))).status, 403);
  assert.equal(master.status, "RUNNING");
  assert.equal((await raw(port, http("PATCH", `/jobs/${JOB}`, { host: "localhost:8081", origin: "http://localhost:8081" }))).status, 202);
  assert.equal(master.status, "CANCELLING");
}));

test("any bind but loopback refuses to start without TLS and authentication", () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "example.org"]) {
    const init = { gateway: {} as RestGateway, version: "0", log: { write: () => undefined }, ports: [0], host };
    assert.throws(() => new RestServer(init), (error: { code: string; message: string }) => error.code === "BIND_NOT_SAFE" && /TLS/.test(error.message) && /authentication/.test(error.message));
    assert.throws(() => new RestServer({ ...init, clientCertificates: true }), { code: "BIND_NOT_SAFE" });
    assert.throws(() => new RestServer({ ...init, tls: { certificate: "", key: "" } }), { code: "BIND_NOT_SAFE" });
  }
});

test("bearer tokens: each role may do what it may, and no more", () => withDirectory(async (directory) => {
  const file = join(directory, "tokens");
  const [viewer, submitter, operator] = (["viewer", "submitter", "operator"] as const).map((role) => addToken(file, `the-${role}`, role));
  await withServer({ tokens: Tokens.read(file), settings: { submitEnabled: true } }, async (server, { master }) => {
    const as = (method: string, path: string, token: string | undefined) => raw(portOf(server), http(method, path, token === undefined ? {} : { authorization: `Bearer ${token}` }));
    for (const path of ["/overview", "/v1/openapi.json", "/no-such-route", "/jobs/not-an-id", "/metrics"]) {
      assert.equal((await as("GET", path, undefined)).status, 401, path);
      assert.equal((await as("GET", path, "wrong")).status, 401, path);
    }
    assert.match((await as("GET", "/overview", undefined)).headers, /www-authenticate: bearer/);
    for (const token of [viewer, submitter, operator]) assert.equal((await as("GET", "/overview", token)).status, 200);
    assert.equal((await as("POST", "/jars/x/run", viewer)).status, 403);
    assert.equal((await as("POST", "/jars/x/run", submitter)).status, 501);
    for (const token of [viewer, submitter]) assert.equal((await as("PATCH", `/jobs/${JOB}`, token)).status, 403);
    assert.equal(master.status, "RUNNING");
    assert.equal((await as("PATCH", `/jobs/${JOB}`, operator)).status, 202);
  });
}));

test("a browser logs in with a token and gets a cookie that other sites cannot use", () => withDirectory(async (directory) => {
  const file = join(directory, "tokens");
  const token = addToken(file, "me", "operator");
  writeFileSync(join(directory, "index.html"), "<title>dashboard</title>");
  await withServer({ tokens: Tokens.read(file), dashboardDirectory: directory }, async (server) => {
    const port = portOf(server);
    const page = await raw(port, http("GET", "/", { accept: "text/html" }));
    assert.equal(page.status, 303);
    assert.match(page.headers, /location: \/login/);
    assert.equal((await raw(port, http("POST", "/login", {}, "token=wrong"))).status, 401);
    const login = await raw(port, http("POST", "/login", {}, `token=${token}`));
    assert.equal(login.status, 303);
    assert.match(login.headers, /set-cookie: millrace-session=[^;]+; path=\/; httponly; samesite=strict/);
    const cookie = /set-cookie: ([^;]+)/i.exec((await fetch(`${server.url}/login`, { method: "POST", body: `token=${token}`, redirect: "manual" })).headers.getSetCookie().map((c) => `set-cookie: ${c}`).join("\n"))![1]!;
    assert.match((await raw(port, http("GET", "/", { cookie, accept: "text/html" }))).body, /dashboard/);
    assert.equal((await raw(port, http("GET", "/overview", { cookie }))).status, 200);
    assert.equal((await raw(port, http("PATCH", `/jobs/${JOB}`, { cookie }))).status, 403, "a cookie alone does not act");
    assert.equal((await raw(port, http("POST", "/logout", { cookie }))).status, 303);
    assert.equal((await raw(port, http("GET", "/overview", { cookie }))).status, 401);
  });
}));

test("static files: nothing outside of the directory can be read", () => withDirectory(async (directory) => {
  const root = join(directory, "dashboard");
  mkdirSync(root);
  writeFileSync(join(directory, "secret.txt"), "secret");
  writeFileSync(join(root, "app.js"), "1");
  writeFileSync(join(root, ".env"), "secret");
  symlinkSync(join(directory, "secret.txt"), join(root, "link.txt"));
  await withServer({ dashboardDirectory: root }, async (server) => {
    assert.equal((await raw(portOf(server), http("GET", "/app.js"))).body, "1");
    for (const path of ["/../secret.txt", "/..%2fsecret.txt", "/%2e%2e/secret.txt", "/..%5csecret.txt", "/link.txt", "/.env", "//etc/passwd", "/app.js%00.txt", "/%"]) {
      const answer = await raw(portOf(server), http("GET", path));
      assert.equal(answer.status, 404, path);
      assert.doesNotMatch(answer.body, /secret"|^secret/);
    }
  });
}));

test("secrets are masked wherever configuration is shown", () => withServer({}, async (server) => {
  for (const path of ["/jobmanager/config", `/jobs/${JOB}/jobmanager/config`]) {
    const { body } = await raw(portOf(server), http("GET", path));
    assert.doesNotMatch(body, /hidden|me:pw/);
    assert.match(body, /\{"key":"s3.secret-key","value":"\*{6}"\}/);
    assert.match(body, /"value":"8081"/);
  }
}));

test("garbage on the port is answered or cut off, and the server goes on", () => withServer({}, async (server) => {
  const port = portOf(server);
  for (const garbage of ["\x16\x03\x01\x02\x00\x01", "GET\r\n\r\n", `GET /${"x".repeat(20_000)} HTTP/1.1\r\nhost: localhost\r\n\r\n`, "\0".repeat(100)]) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, "localhost", () => socket.end(garbage));
      socket.on("error", () => undefined);
      socket.on("data", () => undefined);
      socket.on("close", () => resolve());
    });
  }
  assert.equal((await raw(port, http("GET", "/overview"))).status, 200);
}));
