// A REST server whose JobManager does not lead.
import assert from "node:assert/strict";
import { test } from "node:test";
import { withServer } from "./one-job.js";
import { http, raw } from "./raw-request.js";

const locationOf = (headers: string): string | undefined => /\r\nlocation: (\S+)/.exec(headers)?.[1];

test("a standby sends every request to the leader, and asks to wait while there is none", async () => {
  let leaderUrl: string | undefined = "http://leader:8081";
  let standby = true;
  await withServer({ standby: () => (standby ? { leaderUrl } : undefined) }, async (server) => {
    const port = Number(new URL(server.url).port);
    for (const [method, path] of [["GET", "/v1/jobs?x=1"], ["PATCH", "/jobs/abc"], ["GET", "/"], ["GET", "//evil.example/x"]] as const) {
      const answer = await raw(port, http(method, path));
      assert.equal(answer.status, 307);
      assert.equal(locationOf(answer.headers), `http://leader:8081${path}`);
    }
    assert.equal(locationOf((await raw(port, http("GET", "http://evil.example/x"))).headers), "http://leader:8081/");
    assert.equal((await raw(port, http("GET", "/v1/jobs", { origin: "http://evil.example" }))).status, 403, "what another site makes a browser send is refused here already");
    leaderUrl = undefined;
    const waiting = await raw(port, http("GET", "/v1/jobs"));
    assert.deepEqual([waiting.status, waiting.headers.includes("retry-after: 1")], [503, true]);
    standby = false;
    assert.equal((await raw(port, http("GET", "/v1/jobs"))).status, 200);
  });
});
