import type { Env } from "@millrace/core";
import { LocalFileSystem } from "./local-file-system.js";
import { NodeClock } from "./node-clock.js";
import { NodeNet } from "./node-net.js";
import { StderrLog } from "./stderr-log.js";

/** The real world: this process's clock, disk, network and standard error. Each call makes an independent one; none holds resources. */
export function createNodeEnv(): Env {
  return {
    clock: new NodeClock(),
    rng: { next: Math.random },
    fs: new LocalFileSystem(),
    net: new NodeNet(),
    log: new StderrLog(),
  };
}
