import type { Env } from "@millrace/core";
import { fileSystems } from "./scheme-file-system.js";
import { NodeClock } from "./node-clock.js";
import { NodeNet } from "./node-net.js";
import type { CredentialSource, PeerCredentials } from "./peer-credentials.js";
import { StderrLog } from "./stderr-log.js";

/** The real world: this process's clock, disk (and stores like S3), network and standard error. Each call makes an independent one; none holds resources. With credentials `net` speaks TLS only. */
export function createNodeEnv(credentials?: PeerCredentials | CredentialSource): Env {
  return {
    clock: new NodeClock(),
    rng: { next: Math.random },
    fs: fileSystems,
    net: new NodeNet(credentials),
    outside: new NodeNet(),
    log: new StderrLog(),
  };
}
