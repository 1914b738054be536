import type { FileSystem } from "@millrace/core";
import { InThreadExecutor } from "@millrace/cluster/in-thread";
import type { JobMaster } from "@millrace/cluster";
import { StreamExecutionEnvironment, type DataStream } from "@millrace/datastream";
import { installExecutor, installedExecutor, type JobClient, type JobExecutionResult, type PipelineExecutor } from "@millrace/graph";
import { VirtualTime, type VirtualTimeOptions } from "./virtual-time.js";

export interface VirtualTimeEnvironmentOptions extends VirtualTimeOptions {
  /** Configuration of the jobs, by key. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly fs?: FileSystem;
  /** Sends records between tasks through the exchange codec, as between worker threads. Default true. */
  readonly roundTripEdges?: boolean;
  /** Gives the job as many slots as it would have in a cluster, with channels of limited room between them, instead of one for all tasks. Default false. */
  readonly separateSlots?: boolean;
}

/**
 * Runs jobs in this thread on a clock that only moves when nothing else can happen: a job with windows of processing time, timers of an hour or
 * restart delays is done in milliseconds, with the same result each time.
 *
 * ```ts
 * const virtual = new VirtualTimeEnvironment();
 * const stream = virtual.env.fromSource(everySecond, WatermarkStrategy.noWatermarks(), "ticks").map((tick) => tick * 2);
 * const results = await virtual.executeAndCollect(stream);
 * ```
 * Jobs must be started through the methods here. One environment runs one job at a time.
 */
export class VirtualTimeEnvironment {
  readonly time: VirtualTime;
  readonly env: StreamExecutionEnvironment;
  readonly #executor: InThreadExecutor;
  #job: JobMaster | undefined;

  constructor(options: VirtualTimeEnvironmentOptions = {}) {
    this.time = new VirtualTime(options);
    this.env = StreamExecutionEnvironment.getExecutionEnvironment(options.config ?? {});
    this.#executor = new InThreadExecutor({
      env: this.time.env, temporaryDirectory: "/tmp", roundTripEdges: options.roundTripEdges ?? true, separateSlots: options.separateSlots ?? false,
      onJob: (job) => {
        this.#job = job;
      },
    });
  }

  /** Runs what `env` holds to its end. */
  async execute(jobName?: string): Promise<JobExecutionResult> {
    const client = await this.submit(jobName);
    return this.time.runUntil(client.getJobExecutionResult());
  }

  /** Runs what `env` holds to its end; resolves with the records of `stream`. */
  executeAndCollect<T>(stream: DataStream<T>): Promise<T[]> {
    return this.time.runUntil(this.#installed(() => stream.executeAndCollect()));
  }

  /** Starts what `env` holds; it goes on as {@link advance} lets time pass. */
  submit(jobName?: string): Promise<JobClient> {
    return this.#installed(() => this.env.executeAsync(jobName));
  }

  /** Lets this much time pass. */
  advance(durationMs: number): Promise<void> {
    return this.time.advance(durationMs);
  }

  /** The JobMaster of the last job: its status, its failures; {@link JobMaster.injectFailure} makes it fail. */
  get job(): JobMaster {
    if (this.#job === undefined) throw new Error("no job has been started in this environment");
    return this.#job;
  }

  /** The executor only has to be there when `execute` is called. */
  async #installed<R>(work: () => Promise<R>): Promise<R> {
    const previous = installedExecutor();
    installExecutor(this.#executor);
    try {
      return await work();
    } finally {
      installExecutor(previous as PipelineExecutor);
    }
  }
}
