import type { FileSystem } from "./file-system.js";
import type { Clock } from "./clock.js";
import type { Net } from "./net.js";

/** A source of random numbers in [0, 1). */
export interface Rng {
  next(): number;
}

/** Takes what user code and the engine log, whole lines, already labelled. */
export interface LogSink {
  write(level: "print" | "debug" | "info" | "warn" | "error", line: string): void;
}

/** Everything the engine may know of the world: real in `env-node`, seeded and virtual in the simulation. */
export interface Env {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly fs: FileSystem;
  /** Between the processes of a cluster, as secure as that is told to be. */
  readonly net: Net;
  /** To and from everybody else: never with the certificates of the cluster. */
  readonly outside: Net;
  readonly log: LogSink;
}
