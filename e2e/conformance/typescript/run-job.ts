import { WatermarkStrategy, type DataStream, type JobClient } from "millrace";
import { VirtualTimeEnvironment } from "@millrace/testkit";
import { eventOutput, type Case, type Emission, type Event, type Job, type Pipeline } from "./case.js";
import { joinPipelines } from "./joins.js";
import { keyedProcessPipelines } from "./keyed-process.js";
import { Recorder, Recording } from "./recorder.js";
import { Script, ScriptedSource, ScriptOperator } from "./scripted-source.js";
import { streamPipelines } from "./streams.js";
import { twoInputPipelines } from "./two-inputs.js";
import { windowPipelines } from "./windows.js";

const pipelines: Readonly<Record<string, Pipeline>> = { ...windowPipelines, ...joinPipelines, ...keyedProcessPipelines, ...streamPipelines, ...twoInputPipelines };

export interface CaseResult {
  readonly outputs: readonly Emission[];
  readonly lateDropped: number;
}

export interface JobSettings {
  /** Configuration of the job, by key. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Of everything between the sources and what writes the outputs down; default 1. */
  readonly parallelism?: number;
}

/** A job of a case, before it runs. */
interface BuiltJob {
  readonly virtual: VirtualTimeEnvironment;
  readonly recording: Recording;
  readonly scripts: ReadonlyMap<string, Script>;
}

function build(test: Case, settings: JobSettings, scripts: ReadonlyMap<string, Script>): BuiltJob {
  const pipeline = pipelines[test.pipeline];
  if (pipeline === undefined) throw new Error(`no pipeline is called ${test.pipeline}`);
  const virtual = new VirtualTimeEnvironment({ config: settings.config ?? {} });
  const { env } = virtual;
  env.setParallelism(settings.parallelism ?? 1);
  const recording = new Recording();
  // A channel on either side of the pipeline, as Flink has its valve before every operator.
  const streams = new Map<string, DataStream<Event>>([...scripts].map(([name, script]) => [
    name,
    env.fromSource(new ScriptedSource(script), WatermarkStrategy.noWatermarks(), name).setParallelism(1)
      .transform<Event>(`script ${name}`, () => new ScriptOperator()).setParallelism(1).disableChaining(),
  ]));
  const job: Job = {
    env, streams: [...streams.values()],
    input: (name) => {
      const stream = streams.get(name);
      if (stream === undefined) throw new Error(`the case has no input ${name}`);
      return stream;
    },
  };
  const { main, sides = {} } = pipeline(job, test.params);
  main.transform<never>("recorder", () => new Recorder(recording, undefined)).setParallelism(1).discard().setParallelism(1);
  for (const [tag, stream] of Object.entries(sides)) {
    stream.map(eventOutput).transform<never>(`recorder ${tag}`, () => new Recorder(recording, tag)).setParallelism(1).discard().setParallelism(1);
  }
  return { virtual, recording, scripts };
}

async function lateDropped(client: JobClient): Promise<number> {
  const { vertices } = await client.getMetrics();
  return vertices.flatMap((vertex) => vertex.subtasks).reduce((sum, subtask) => sum + (subtask["numLateRecordsDropped"] ?? 0), 0);
}

/** Runs a case one element at a time: the next one enters when nothing is left to do for the one before. */
export async function runStepwise(test: Case, settings: JobSettings = {}): Promise<CaseResult> {
  const names = Object.keys(test.inputs);
  const { virtual, recording, scripts } = build(test, settings, new Map(names.map((name) => [name, new Script()])));
  const order = test.order ?? test.inputs[names[0]!]!.map(() => names[0]!);
  recording.step = 0;
  const client = await virtual.submit(test.name);
  await virtual.advance(0);
  const result = client.getJobExecutionResult();
  let failed = false;
  void result.catch(() => (failed = true));
  const position = new Map<string, number>();
  for (const name of order) {
    const at = position.get(name) ?? 0;
    position.set(name, at + 1);
    const element = test.inputs[name]![at]!;
    // The clock jumps: what is due then fires at the new time, not at its own.
    if ("p" in element) virtual.time.clock.moveTo(element.p);
    else scripts.get(name)!.offer(element);
    await virtual.advance(0);
    if (failed) break;
    recording.step++;
  }
  for (const script of scripts.values()) {
    script.end();
    await virtual.advance(0);
    recording.step++;
  }
  await virtual.time.runUntil(result);
  return { outputs: recording.outputs, lateDropped: await lateDropped(client) };
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

