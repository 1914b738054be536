import { WatermarkStrategy, type DataStream, type JobClient } from "millrace";
import { VirtualTimeEnvironment } from "@millrace/testkit";
import { eventOutput, type Case, type Event, type Job, type JobSettings, type Pipeline } from "./case.js";
import { joinPipelines } from "./joins.js";
import { keyedProcessPipelines } from "./keyed-process.js";
import { Recorder, Recording } from "./recorder.js";
import { Script, ScriptedSource, ScriptOperator } from "./scripted-source.js";
import { streamPipelines } from "./streams.js";
import { twoInputPipelines } from "./two-inputs.js";
import { windowPipelines } from "./windows.js";

const pipelines: Readonly<Record<string, Pipeline>> = { ...windowPipelines, ...joinPipelines, ...keyedProcessPipelines, ...streamPipelines, ...twoInputPipelines };

/** A job of a case, before it runs. */
export interface BuiltJob {
  readonly virtual: VirtualTimeEnvironment;
  readonly recording: Recording;
  readonly scripts: ReadonlyMap<string, Script>;
}

export function build(test: Case, settings: JobSettings, scripts: ReadonlyMap<string, Script>): BuiltJob {
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

export async function lateDropped(client: JobClient): Promise<number> {
  const { vertices } = await client.getMetrics();
  return vertices.flatMap((vertex) => vertex.subtasks).reduce((sum, subtask) => sum + (subtask["numLateRecordsDropped"] ?? 0), 0);
}
