import { cpSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { seededRandom } from "@millrace/testkit";
import { formatEntry, type Entry } from "./check/entries.js";
import { faultsOf } from "./faults/all-faults.js";
import type { FaultName } from "./faults/fault.js";
import { strikeFor } from "./faults/schedule.js";
import { Feeder } from "./feeder.js";
import { LiveStatus } from "./report/live-status.js";
import { delays } from "./report/medians.js";
import { Journal } from "./report/journal.js";
import { MINUTES_THAT_HAVE_ALL, type RunResult } from "./report/summary.js";
import type { OpenScenario, Scenario } from "./scenarios/scenario.js";
import { JobControl } from "./world/job-control.js";
import { Interrupted, eventually, sleep } from "./world/waiting.js";
import { World, type HighAvailability, type SlotIsolation } from "./world/world.js";

export interface RunOptions {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly highAvailability: HighAvailability;
  /** Unset: what the seed says. */
  readonly slotIsolation: SlotIsolation | undefined;
  readonly faults: readonly FaultName[];
  /** Of faults, and of healing after them. */
  readonly durationMs: number;
  /** What has to happen, as far as it can in its world. */
  readonly owed: ReadonlySet<FaultName>;
  readonly ratePerSecond: number;
  readonly taskManagers: number;
  readonly verbose: boolean;
  readonly isPlain: boolean;
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

/** A loaded machine may be slow; what takes longer than this is stuck. */
const LIMIT_MS = 300_000;
const FAULTY_SHARE = 0.75;
const LEAST_CHECKPOINTS = 3;
/** What takes longer to get on once everything is well is worth a look: its logs are kept. */
const SLOW_MS = 60_000;
/** Of the seeds: slots are processes there. */
const PROCESSES_SHARE = 0.35;

/** One scenario: faults, then a time in which the job has to get on, then the end of the input, then the comparison. */
export class Run {
  readonly #options: RunOptions;
  readonly #live: LiveStatus;
  readonly #journal: Journal;
  #phase = "starting";
  #world: World | undefined;
  #open: OpenScenario | undefined;
  #job: JobControl | undefined;
  #feeder: Feeder | undefined;
  #possible: readonly FaultName[] = [];
  #healedMs: number | undefined;
  readonly #startedMs = performance.now();

  constructor(options: RunOptions) {
    this.#options = options;
    this.#live = new LiveStatus(process.stderr, options.isPlain, () => this.#statusLines());
    this.#journal = new Journal((line) => options.verbose && this.#live.print(this.#live.paint("dim", line)));
  }

  /** @throws {@link Interrupted}; everything else is in the result */
  async run(): Promise<RunResult> {
    this.#live.start();
    let complaints: readonly string[] = [];
    let keptIn: string | undefined;
    try {
      try {
        complaints = await this.#phases();
      } catch (error) {
        if (this.#options.signal.aborted) throw new Interrupted();
        complaints = [(error as Error).stack ?? String(error)];
      }
      if (complaints.length > 0 || this.#options.keep || (this.#healedMs ?? 0) > SLOW_MS) keptIn = this.#keep(complaints);
      return this.#result(complaints, keptIn);
    } finally {
      this.#phase = "cleaning up";
      await this.#job?.close();
      // It may wait for room in what is closed next.
      void this.#feeder?.stop().catch(() => undefined);
      await this.#open?.close();
      await this.#world?.close();
      this.#live.stop();
    }
  }

  async #phases(): Promise<readonly string[]> {
    const { scenario, seed, durationMs, signal } = this.#options;
    const random = seededRandom(seed);
    const { world, open, job, feeder } = await this.#start(random);
    this.#phase = "faults";
    feeder.start();
    const faults = faultsOf(world).filter(({ name }) => this.#options.faults.includes(name));
    this.#possible = faults.map(({ name }) => name);
    await strikeFor(durationMs * FAULTY_SHARE, faults, { world, job, journal: this.#journal, random, signal }, this.#options.owed);

    this.#phase = "healing";
    await world.heal();
    this.#journal.note("everything is well again");
    const before = feeder.entries.length;
    const wellMs = performance.now();
    const checkpoints = job.checkpoints;
    await Promise.all([
      eventually("a checkpoint completes", LIMIT_MS, signal, () => job.checkpoints > checkpoints).then(() => (this.#healedMs = performance.now() - wellMs)),
      sleep(durationMs * (1 - FAULTY_SHARE), signal),
      this.#comesOut(open, before, "what was written before everything was well again comes out"),
      eventually("the job runs", LIMIT_MS, signal, () => this.#isRunning()),
    ]);

    this.#phase = "draining";
    await feeder.stop();
    await this.#comesOut(open, feeder.entries.length, "all of the input comes out");
    await job.drain(LIMIT_MS);

    this.#phase = "checking";
    const complaints = await open.check(feeder.entries);
    const idle = durationMs >= MINUTES_THAT_HAVE_ALL * 60_000 && job.checkpoints < LEAST_CHECKPOINTS ? [`idle: only ${job.checkpoints} checkpoints of ${scenario.name} were completed`] : [];
    return [...complaints, ...idle];
  }

  async #start(random: () => number): Promise<{ readonly world: World; readonly open: OpenScenario; readonly job: JobControl; readonly feeder: Feeder }> {
    const { scenario, highAvailability, taskManagers, ratePerSecond, signal, seed } = this.#options;
    // Drawn in any case: what else the seed says stays the same.
    const drawn: SlotIsolation = random() < PROCESSES_SHARE ? "process" : "thread";
    const slotIsolation = this.#options.slotIsolation ?? drawn;
    const world = (this.#world = await World.open({ slotIsolation, highAvailability, services: scenario.needs, taskManagers, journal: this.#journal }));
    this.#live.print(`${scenario.name}: seed ${seed}, high availability over ${highAvailability === "file" ? "a directory" : "ZooKeeper"}, ${taskManagers} TaskManagers, slots are ${slotIsolation === "thread" ? "threads" : "processes"}; the disk that is filled is ${world.disk.means}`);
    const open = (this.#open = await scenario.open(world));
    const feeder = (this.#feeder = new Feeder(open.input, random, ratePerSecond, signal));
    await feeder.feedOnce();
    await eventually("a JobManager leads", LIMIT_MS, signal, () => world.leader !== undefined);
    const job = (this.#job = new JobControl(world, { module: open.module, args: open.args, config: jobConfig(world, random) }, this.#journal, signal));
    await job.start();
    await eventually("the job runs and completes a checkpoint", LIMIT_MS, signal, () => this.#isRunning() && job.checkpoints > 0);
    return { world, open, job, feeder };
  }

  #isRunning(): boolean {
    this.#job!.check();
    return this.#job!.status === "RUNNING";
  }

  #comesOut(open: OpenScenario, count: number, what: string): Promise<void> {
    return eventually(what, LIMIT_MS, this.#options.signal, async () => {
      this.#job!.check();
      await open.progress.refresh();
      return open.progress.count >= count;
    });
  }

  #statusLines(): readonly string[] {
    const { scenario } = this.#options;
    void this.#open?.progress.refresh();
    const seconds = Math.round((performance.now() - this.#startedMs) / 1000);
    const job = this.#job;
    const figures = [
      `checkpoints ${job?.checkpoints ?? 0}`, `restarts ${job?.restarts ?? 0}`, `leader changes ${this.#world?.leaderChanges ?? 0}`,
      `records out ${this.#open?.progress.count ?? 0} of ${this.#feeder?.entries.length ?? 0}`,
    ];
    const classes = [...this.#journal.struck].map(([name, count]) => `${name} ${count}`).join(", ");
    return [
      `${this.#live.paint("bold", scenario.name)} ${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")} ${this.#live.paint("cyan", this.#phase)}, job ${job?.status ?? "-"}, ${figures.join(", ")}`,
      `${this.#journal.strikes} faults${classes === "" ? "" : `: ${classes}`}`,
    ];
  }

  #result(complaints: readonly string[], keptIn: string | undefined): RunResult {
    const { scenario, seed, highAvailability, durationMs } = this.#options;
    const job = this.#job;
    return {
      scenario: scenario.name, seed, highAvailability, diskMeans: this.#world?.disk.means ?? "", minutes: durationMs / 60_000, struck: this.#journal.struck, possible: this.#possible,
      checkpoints: job?.checkpoints ?? 0, restarts: job?.restarts ?? 0, rescales: job?.rescales ?? 0, leaderChanges: this.#world?.leaderChanges ?? 0, endings: this.#journal.endings,
      records: this.#open?.progress.count ?? 0, checkpointDurationsMs: job?.checkpointDurationsMs ?? [], restartDurationsMs: job?.restartDurationsMs ?? [],
      recoveriesMs: delays(this.#journal.strikeTimesMs, job?.checkpointTimesMs ?? []), healedMs: this.#healedMs, complaints, keptIn,
    };
  }

  /** Logs, inputs and outputs, for whoever looks for the cause. */
  #keep(complaints: readonly string[]): string {
    const { scenario, seed } = this.#options;
    const directory = mkdtempSync(join(tmpdir(), `millrace-chaos-${scenario.name}-${seed}-`));
    writeFileSync(join(directory, "complaints.txt"), `${complaints.join("\n")}\n`);
    writeFileSync(join(directory, "journal.log"), `${this.#journal.lines.join("\n")}\n`);
    writeFileSync(join(directory, "entries.txt"), (this.#feeder?.entries ?? []).map((entry: Entry) => `${formatEntry(entry)}\n`).join(""));
    mkdirSync(join(directory, "logs"));
    const world = this.#world;
    if (world === undefined) return directory;
    for (const { name, output } of world.members) writeFileSync(join(directory, "logs", `${name}.log`), output);
    for (const [name, output] of [["kafka", world.kafka?.cluster.broker().output], ["zookeeper", world.zookeeper?.output], ["postgres", world.postgres?.server.process.output]] as const) if (output !== undefined) writeFileSync(join(directory, "logs", `${name}.log`), output);
    // Indexes are large and empty.
    if (world.kafka !== undefined) cpSync(world.kafka.cluster.directory, join(directory, "kafka"), { recursive: true, filter: (path) => !/(\.(timeindex|index|txnindex)|\/__cluster_metadata-0)$/.test(path) });
    cpSync(world.disk.path, join(directory, "disk"), { recursive: true, filter: (path) => basename(path) !== "ballast" });
    return directory;
  }
}

/** Checkpoints of any kind, and a scheduler that can rescale. */
function jobConfig(world: World, random: () => number): Record<string, string> {
  const unaligned = random() < 0.5;
  return {
    "jobmanager.scheduler": "adaptive", "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling": "1 s", "jobmanager.adaptive-scheduler.executing.resource-stabilization-timeout": "2 s",
    "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout": "2 s", "execution.checkpointing.dir": world.folder("checkpoints"), "execution.checkpointing.interval": "1 s",
    "execution.checkpointing.timeout": "20 s", "execution.checkpointing.num-retained": "2", "execution.checkpointing.unaligned.enabled": String(unaligned),
    "restart-strategy.type": "exponential-delay", "restart-strategy.exponential-delay.initial-backoff": "200 ms", "restart-strategy.exponential-delay.max-backoff": "3 s",
  };
}
