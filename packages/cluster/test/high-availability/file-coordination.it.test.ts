import { test } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeEnv } from "@millrace/env-node";
import { FileCoordination } from "../../src/high-availability/file/file-coordination.js";
import { ContenderProcess, surviveKillAndStop } from "./contender-processes.js";

test("a shared directory: kill -9 of the leader, then SIGSTOP of the next", async () => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-ha-"));
  try {
    const reader = new FileCoordination({ env: createNodeEnv(), directory, leaseTimeoutMs: 2000, leaseIntervalMs: 200 });
    await surviveKillAndStop((name) => new ContenderProcess(["file", directory, name]), async () => (await reader.store.get("log"))?.value);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
