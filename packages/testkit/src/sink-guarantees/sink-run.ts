import { MillraceError, WatermarkStrategy, functionFactory, isMillraceError } from "@millrace/core";
import { DataGeneratorSource } from "@millrace/datastream";
import type { JobClient, JobStatus } from "@millrace/graph";
import { wrongWith, type Bounds } from "./guarantee.js";
import { KillSwitch, Tap, type Kill } from "./kill-switch.js";
import { KillingSink } from "./killing-sink.js";
import { slowerAfter } from "./slower-after.js";
import { RealStage, VirtualStage, type Stage } from "./stage.js";
import type { SinkGuaranteesOptions, SinkUnderTest } from "./sink-under-test.js";

const STEP_MS = 4;
/** Enough for an outage; a job that fails for ever ends soon. */
const RESTART_DELAY_MS = 20;
const RESTARTS = 300;
const STOPPED: readonly JobStatus[] = ["FINISHED", "FAILED", "CANCELED"];

/** What a job of a case starts with. */
export interface JobPlan {
  readonly parallelism: number;
  /** A checkpoint or savepoint to go on from. */
  readonly from?: string | undefined;
  /** Whether it restarts after failures. Default true. */
  readonly restarts?: boolean;
  /** Default: those of the case. */
  readonly records?: number;
  /** In real time, records after so many come slowly: the job lasts until the case has done with it, on a slow machine, too. */
  readonly slowAfter?: number;
}

/** A job of a case. */
export interface SinkJob {
  readonly client: JobClient;
  readonly plan: JobPlan;
  /** How it ended; never rejects. */
  readonly ended: Promise<{ readonly error?: unknown }>;
}

/** One case: a fresh external system, and the jobs that write to it, one after the other. */
export class SinkRun<T> {
  readonly kills: KillSwitch;
  readonly stage: Stage;
  readonly world: SinkUnderTest<T>;
  /** Records that have passed the operator before the sink, in all attempts. */
  passed: number = 0;
  readonly #options: SinkGuaranteesOptions<T>;
  readonly #sinks: KillingSink<T>[] = [];
  readonly #jobs: SinkJob[] = [];
  readonly #failedStops = new Map<SinkJob, string>();

  private constructor(options: SinkGuaranteesOptions<T>, kills: readonly Kill[], stage: Stage, world: SinkUnderTest<T>) {
    this.#options = options;
    this.kills = new KillSwitch(kills);
    this.stage = stage;
    this.world = world;
  }

  /** Runs `play` in a world of its own, and checks afterwards that nothing is left open. */
  static async play<T>(options: SinkGuaranteesOptions<T>, seed: number, kills: readonly Kill[], play: (run: SinkRun<T>) => Promise<void>): Promise<SinkRun<T>> {
    const stage = options.time === "real" ? new RealStage() : new VirtualStage(seed);
    try {
      await stage.fs.mkdirs(`${stage.directory}/external`);
      const world = await options.open({ directory: `${stage.directory}/external`, fs: stage.fs });
      const run = new SinkRun(options, kills, stage, world);
      try {
        await play(run);
        await run.#requireNothingPending();
      } catch (error) {
        throw broken(`${withCauses(error)}\n${stage.logLines().map((line) => `  ${line}`).join("\n")}`, error);
      } finally {
        // After a case that failed, a job may still run.
        for (const job of run.#jobs) await run.cancel(job);
        await Promise.all(run.#sinks.map((sink) => sink.buryTheDead()));
        await world.close?.();
      }
      return run;
    } finally {
      await stage.close();
    }
  }

  get records(): number {
    return this.#options.records ?? 120;
  }

  async start(plan: JobPlan): Promise<SinkJob> {
    const { record = (index: number) => `record ${index}` as T, checkpointIntervalMs = 15, recordsPerSecond = 1000, time } = this.#options;
    const { parallelism, from, restarts = true, records = this.records, slowAfter = Number.POSITIVE_INFINITY } = plan;
    const config = {
      "execution.checkpointing.interval": checkpointIntervalMs, "execution.checkpointing.dir": `${this.stage.directory}/checkpoints`,
      "execution.checkpointing.savepoint-dir": `${this.stage.directory}/savepoints`, "execution.checkpointing.num-retained": 1000,
      "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION", "parallelism.default": parallelism,
      "restart-strategy.type": restarts ? "fixed-delay" : "none", "restart-strategy.fixed-delay.attempts": RESTARTS, "restart-strategy.fixed-delay.delay": RESTART_DELAY_MS,
      ...(from === undefined ? {} : { "execution.state-recovery.path": from }),
    };
    const sink = new KillingSink<T>(this.world.sink(), this.kills);
    this.#sinks.push(sink);
    const client = await this.stage.submit(config, (env) => {
      const source = new DataGeneratorSource(record, records, slowerAfter(time === "real" ? slowAfter : Number.POSITIVE_INFINITY, recordsPerSecond));
      const tap = functionFactory(() => new Tap<T>(this.kills, () => this.passed++));
      env.fromSource(source, WatermarkStrategy.noWatermarks<T>(), "records").uid("records").map<T>(tap).uid("tap").sinkTo(sink as never).uid("sink");
    });
    const ended = client.getJobExecutionResult().then(() => ({}), (error: unknown) => ({ error }));
    const job = { client, plan, ended };
    this.#jobs.push(job);
    return job;
  }

  /** Runs a job to its end. @throws what it failed with */
  async toEnd(plan: JobPlan): Promise<void> {
    const job = await this.start(plan);
    await this.#until(job, () => false);
    const { error } = await this.stage.until(job.ended);
    if (error !== undefined) throw error;
  }

  /** Lets a job run until so many records have passed in it, or it has ended. */
  async untilPassed(job: SinkJob, records: number): Promise<void> {
    const before = this.passed;
    await this.#until(job, () => this.passed - before >= records);
  }

  /** Lets a job run until so many of its checkpoints are complete, or it has ended. @returns them */
  async untilCheckpoints(job: SinkJob, count: number): Promise<readonly string[]> {
    for (;;) {
      const checkpoints = await this.checkpoints(job);
      if (checkpoints.length >= count || (await this.hasEnded(job))) return checkpoints;
      await this.stage.wait(STEP_MS);
    }
  }

  /** Lets a job run until it has ended by itself; what with is in `job.ended`. */
  async untilEnded(job: SinkJob): Promise<void> {
    await this.#until(job, () => false);
  }

  async cancel(job: SinkJob): Promise<void> {
    const { client, ended } = job;
    if (await this.hasEnded(job)) return;
    await this.stage.until(client.cancel().catch(() => undefined));
    await this.stage.until(ended);
  }

  /** Stops a job behind a savepoint. @returns where it is; `undefined` when the stop failed */
  async stop(job: SinkJob, drain: boolean = false): Promise<string | undefined> {
    const path = await this.stage.until(job.client.stopWithSavepoint({ drain }).catch((error: unknown) => {
      // Behind a complete savepoint: what it holds may be committed.
      const complete = isMillraceError(error) && error.code === "STOP_FAILED" ? /^the savepoint (.*?) is complete/.exec(error.message)?.[1] : undefined;
      if (complete !== undefined) this.#failedStops.set(job, complete);
      return undefined;
    }));
    if (path !== undefined) await this.stage.until(job.ended);
    return path;
  }

  /** Complete checkpoints of a job that are still there, oldest first. */
  async checkpoints({ client }: SinkJob): Promise<readonly string[]> {
    const { fs, directory } = this.stage;
    const found: { readonly id: number; readonly path: string }[] = [];
    for (const { path } of await fs.list(`${directory}/checkpoints/${client.jobId}`).catch(() => [])) {
      const id = /chk-(\d+)$/.exec(path)?.[1];
      if (id !== undefined && (await fs.status(`${path}/_metadata`)) !== undefined) found.push({ id: Number(id), path });
    }
    return found.sort((a, b) => a.id - b.id).map(({ path }) => path);
  }

  /** Where to go on after a job that has ended: its last checkpoint, or what it had started from. */
  async last(job: SinkJob): Promise<string | undefined> {
    if (job.plan.restarts === false && this.#failedStops.has(job)) return this.#failedStops.get(job);
    return (await this.checkpoints(job)).at(-1) ?? job.plan.from;
  }

  async visible(): Promise<readonly string[]> {
    return this.world.read();
  }

  /** What is visible now or will be, whatever happens next. */
  async committed(): Promise<readonly string[]> {
    return this.world.committed?.() ?? this.world.read();
  }

  /** The texts of the first `records` records. */
  expected(records: number = this.records): readonly string[] {
    const { record = (index: number) => `record ${index}` as T, text = String } = this.#options;
    return Array.from({ length: records }, (_, index) => text(record(index)));
  }

  /** @throws when what is visible is not within the bounds */
  async require(bounds: Bounds, when: string, expected: readonly string[] = this.expected()): Promise<void> {
    const wrong = wrongWith(await this.visible(), expected, bounds);
    if (wrong !== undefined) throw broken(`${when}, ${wrong}`);
  }

  async #requireNothingPending(): Promise<void> {
    const pending = (await this.world.pending?.()) ?? [];
    if (pending.length > 0) throw broken(`after the jobs have ended, something is left open or prepared: ${pending.slice(0, 5).map(String).join(", ")}${pending.length > 5 ? ` and ${pending.length - 5} more` : ""}`);
  }

  /** Lets a job run until it has ended, or `done` says so; meanwhile readers must never see what the sink would have to take back. */
  async #until(job: SinkJob, done: () => boolean): Promise<void> {
    const { time = "virtual", guarantee, idempotent = false, timeoutMs = time === "real" ? 60_000 : 3_600_000 } = this.#options;
    const looks = time === "virtual" && guarantee === "exactly-once" && !idempotent && job.plan.from === undefined;
    const end = { reached: false };
    void job.ended.then(() => (end.reached = true));
    for (let waitedMs = 0; !end.reached && !done(); waitedMs += STEP_MS) {
      if (waitedMs > timeoutMs) {
        await this.cancel(job);
        throw broken(`the job has not ended after ${timeoutMs} ms`);
      }
      await this.stage.wait(STEP_MS);
      if (looks && waitedMs % 20 === 0 && this.#sinks.length === 1) await this.require(() => [0, 1], "while the job runs");
    }
  }

  /** Whether the job has ended. */
  async hasEnded({ client }: SinkJob): Promise<boolean> {
    return STOPPED.includes(await this.stage.until(client.getJobStatus()));
  }
}

export function broken(message: string, cause?: unknown): MillraceError {
  return new MillraceError({ code: "SINK_GUARANTEE_BROKEN", message, ...(cause === undefined ? {} : { cause }) });
}

/** The message of an error and of all that led to it, each once. */
function withCauses(error: unknown): string {
  const messages = new Set<string>();
  for (let cause = error as Error | undefined; cause !== undefined && messages.size < 8; cause = cause.cause as Error | undefined) messages.add(cause.message);
  return [...messages].join(": ");
}
