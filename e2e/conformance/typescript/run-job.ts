import type { Case, CaseResult, JobSettings } from "./case.js";
import { build, lateDropped } from "./build-job.js";
import { Script } from "./scripted-source.js";
import { SteppedRun } from "./stepped-run.js";

/** Runs a case one element at a time: the next one enters when nothing is left to do for the one before. */
export async function runStepwise(test: Case, settings: JobSettings = {}): Promise<CaseResult> {
  const run = await SteppedRun.start(test, settings);
  const order = test.order ?? Object.values(test.inputs)[0]!.map(() => Object.keys(test.inputs)[0]!);
  const restores = settings.restores ?? 0;
  let restored = 0;
  for (const [step, name] of order.entries()) {
    await run.step(name);
    const wanted = Math.min(restores, Math.floor(((step + 1) * (restores + 1)) / order.length));
    if (restored === wanted || !run.upToDate) continue;
    await run.restore();
    restored++;
  }
  return run.finish();
}

/** Runs a case as any job, each input as fast as it is taken. Only the records are kept, in no certain order. */
export async function runWhole(test: Case, settings: JobSettings = {}): Promise<CaseResult> {
  const scripts = new Map(Object.entries(test.inputs).map(([name, elements]) => {
    const script = new Script(elements);
    script.end();
    return [name, script];
  }));
  const { virtual, recording } = build(test, settings, scripts);
  const client = await virtual.submit(test.name);
  await virtual.time.runUntil(client.getJobExecutionResult());
  return { outputs: recording.outputs, lateDropped: await lateDropped(client) };
}

