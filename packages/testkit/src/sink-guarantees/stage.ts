import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FileSystem } from "@millrace/core";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { LocalFileSystem } from "@millrace/env-node";
import type { JobClient } from "@millrace/graph";
import { MiniCluster } from "../mini-cluster/mini-cluster.js";
import { MemoryFileSystem } from "../virtual-time/memory-file-system.js";
import { VirtualTimeEnvironment } from "../virtual-time/virtual-time-environment.js";

/** Where the jobs of one case run. */
export interface Stage {
  readonly fs: FileSystem;
  /** Empty; gone when the stage is closed. */
  readonly directory: string;
  submit(config: Readonly<Record<string, unknown>>, build: (env: StreamExecutionEnvironment) => void): Promise<JobClient>;
  /** Lets the jobs run for so long. */
  wait(durationMs: number): Promise<void>;
  /** Lets them run until this is done. */
  until<R>(work: Promise<R>): Promise<R>;
  /** The last lines of the log: why tasks failed. */
  logLines(): readonly string[];
  close(): Promise<void>;
}

const LOG_LINES = 12;

/** Time passes as fast as the jobs can run; for sinks that reach no further than this process. Files are in memory. */
export class VirtualStage implements Stage {
  readonly fs: FileSystem = new MemoryFileSystem();
  readonly directory: string = "/case";
  readonly #seed: number;
  #current: VirtualTimeEnvironment | undefined;
  #jobs: number = 0;

  constructor(seed: number) {
    this.#seed = seed;
  }

  submit(config: Readonly<Record<string, unknown>>, build: (env: StreamExecutionEnvironment) => void): Promise<JobClient> {
    const startMs = this.#current?.time.clock.nowMs() ?? Date.UTC(2024, 0, 1);
    const virtual = new VirtualTimeEnvironment({ seed: this.#seed * 1009 + this.#jobs++, startMs, fs: this.fs, config, separateSlots: this.#seed % 2 === 1 });
    this.#current = virtual;
    build(virtual.env);
    return virtual.submit();
  }

  async wait(durationMs: number): Promise<void> {
    await this.#current?.advance(durationMs);
  }

  until<R>(work: Promise<R>): Promise<R> {
    return this.#current === undefined ? work : this.#current.time.runUntil(work);
  }

  logLines(): readonly string[] {
    return this.#current?.time.logLines.slice(-LOG_LINES) ?? [];
  }

  async close(): Promise<void> {}
}

/** Real time, for sinks to real systems. */
export class RealStage implements Stage {
  readonly fs: FileSystem = new LocalFileSystem();
  readonly directory: string = mkdtempSync(join(tmpdir(), "millrace-sink-"));
  readonly #lines: string[] = [];
  readonly #cluster = new MiniCluster({
    log: {
      write: (level, line) => {
        this.#lines.push(`${level} ${line}`);
        if (this.#lines.length > LOG_LINES) this.#lines.shift();
      },
    },
  });

  constructor() {
    this.#cluster.start();
  }

  submit(config: Readonly<Record<string, unknown>>, build: (env: StreamExecutionEnvironment) => void): Promise<JobClient> {
    const env = StreamExecutionEnvironment.getExecutionEnvironment(config);
    build(env);
    return env.executeAsync();
  }

  wait(durationMs: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, durationMs));
  }

  until<R>(work: Promise<R>): Promise<R> {
    return work;
  }

  logLines(): readonly string[] {
    return this.#lines;
  }

  async close(): Promise<void> {
    await this.#cluster.stop();
    rmSync(this.directory, { recursive: true });
  }
}
