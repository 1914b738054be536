import { after } from "node:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNodeEnv } from "@millrace/env-node";
import { EmbeddedCoordinator } from "../../src/high-availability/embedded/embedded-coordination.js";
import { FileCoordination } from "../../src/high-availability/file/file-coordination.js";
import { coordinationContract } from "./coordination-contract.js";

const env = createNodeEnv();
const directories: string[] = [];
after(() => directories.forEach((directory) => rmSync(directory, { recursive: true })));

coordinationContract({
  name: "embedded",
  fresh: async () => {
    const coordinator = new EmbeddedCoordinator(env);
    return () => coordinator.connect();
  },
});

coordinationContract({
  name: "file",
  fresh: async () => {
    const directory = mkdtempSync(join(tmpdir(), "millrace-ha-"));
    directories.push(directory);
    return () => new FileCoordination({ env: { ...env, log: { write: () => undefined } }, directory: join(directory, "election"), leaseTimeoutMs: 60_000, leaseIntervalMs: 20 });
  },
});
