import { MIN_WATERMARK, type JobClient } from "millrace";
import { build, lateDropped, type BuiltJob } from "./build-job.js";
import type { Case, CaseResult, Element, JobSettings } from "./case.js";
import { Script } from "./scripted-source.js";

/** One input, and what a restored job must be told of it. */
interface Input {
  readonly elements: readonly Element[];
  readonly script: Script;
  next: number;
  watermarkMs: number;
  idle: boolean;
}

/** A job that takes one element at a time and has done everything there is to do for it before the next one. */
export class SteppedRun {
  readonly #inputs: ReadonlyMap<string, Input>;
  readonly #job: BuiltJob;
  readonly #client: JobClient;
  readonly #hasWatermarks: boolean;
  #upToDate = false;
  #restored = false;
  #failure: { readonly error: unknown } | undefined;

  private constructor(inputs: ReadonlyMap<string, Input>, job: BuiltJob, client: JobClient) {
    this.#inputs = inputs;
    this.#job = job;
    this.#client = client;
    this.#hasWatermarks = [...inputs.values()].some(({ elements }) => elements.some((element) => "w" in element));
    client.getJobExecutionResult().catch((error: unknown) => (this.#failure = { error }));
  }

  static async start(test: Case, settings: JobSettings): Promise<SteppedRun> {
    const inputs = new Map(Object.entries(test.inputs).map(([name, elements]): [string, Input] => [
      name, { elements, script: new Script(), next: 0, watermarkMs: MIN_WATERMARK, idle: false },
    ]));
    const job = build(test, settings, new Map([...inputs].map(([name, { script }]) => [name, script])));
    job.recording.step = 0;
    const run = new SteppedRun(inputs, job, await job.virtual.submit(test.name));
    await run.#settle();
    return run;
  }

  /** The next element of an input, and all that follows from it. */
  async step(name: string): Promise<void> {
    const input = this.#inputs.get(name)!;
    const element = input.elements[input.next++]!;
    if ("w" in element && !input.idle) input.watermarkMs = Math.max(input.watermarkMs, element.w);
    if ("idle" in element) input.idle = element.idle;
    // The clock jumps: what is due then fires at the new time, not at its own.
    if ("p" in element) this.#job.virtual.time.clock.moveTo(element.p);
    else input.script.offer(element);
    await this.#settle();
    this.#upToDate = this.#job.recording.endsWithWatermark || !this.#hasWatermarks;
    this.#job.recording.step!++;
  }

  /** Whether no event-time timer for the past is pending: telling the time again would fire it, as any watermark does. */
  get upToDate(): boolean {
    return this.#upToDate;
  }

  /** Takes a checkpoint, fails, and goes on from it. What is not state, the time of the inputs, is told again. */
  async restore(): Promise<void> {
    const { virtual, recording } = this.#job;
    await virtual.time.runUntil(this.#client.triggerCheckpoint());
    const { restarts } = virtual.job.metrics();
    virtual.job.injectFailure(new Error("failed by the test"));
    await this.#settle();
    if (virtual.job.metrics().restarts !== restarts + 1) throw new Error("the job was to restart once, at once");
    this.#restored = true;
    recording.retelling = true;
    for (const { script, watermarkMs, idle } of this.#inputs.values()) {
      if (watermarkMs !== MIN_WATERMARK) script.offer({ w: watermarkMs });
      if (idle) script.offer({ idle });
    }
    await this.#settle();
    recording.retelling = false;
  }

  /** Ends the inputs one after the other. The late records of a run that was restored are not known: counters start anew. */
  async finish(): Promise<CaseResult> {
    const { virtual, recording } = this.#job;
    for (const { script } of this.#inputs.values()) {
      script.end();
      await this.#settle();
      recording.step!++;
    }
    await virtual.time.runUntil(this.#client.getJobExecutionResult());
    return this.#restored ? { outputs: recording.outputs } : { outputs: recording.outputs, lateDropped: await lateDropped(this.#client) };
  }

  async #settle(): Promise<void> {
    await this.#job.virtual.advance(0);
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
