import { StreamExecutionEnvironment, TumblingEventTimeWindows, WatermarkStrategy, type Clock, type Collector, type DataStream, type Sink } from "millrace";
import type { Pipeline } from "@millrace/graph";
import { Count, Dedupe, Hold, HoldProcessing } from "./functions.js";
import { firstSinkOf, type Event, type PipelineSpec, type SourceSpec, type Stage, type Submission } from "./job-spec.js";
import { copies, format, mapped } from "./oracle.js";
import type { Probe } from "./probe.js";
import { SplitSource } from "./split-source.js";

/** What a program is run with, at planning or in a slot. */
export interface ProgramWorld {
  readonly clock: Clock;
  readonly probe: Probe;
  readonly sink: (index: number, run: number) => Sink<string, unknown, unknown>;
}

/** The program: builds the job's graph from its plain description, with fresh functions each time, as a slot that runs the module again does. */
export function buildProgram({ spec, run, parallelism }: Submission, world: ProgramWorld): Pipeline {
  const env = StreamExecutionEnvironment.getExecutionEnvironment({ ...spec.config, "parallelism.default": parallelism });
  const isUnaligned = spec.config["execution.checkpointing.unaligned.enabled"] === true;
  spec.pipelines.forEach((pipeline, at) => addPipeline(env, pipeline, { label: at === 0 ? "" : `p${at} `, run, firstSink: firstSinkOf(spec, at), isUnaligned }, world));
  return env.pipeline("simulated");
}

/** Where a pipeline stands in its job. */
interface Place {
  /** Before the names of its operators. */
  readonly label: string;
  readonly run: number;
  readonly firstSink: number;
  /** What would be chained at another parallelism would have no place then for the records that were in flight. */
  readonly isUnaligned: boolean;
}

function addPipeline(env: StreamExecutionEnvironment, { sources, stages, sinks }: PipelineSpec, { label, run, firstSink, isUnaligned }: Place, world: ProgramWorld): void {
  const [first, ...others] = sources.map((source) => read(env, source, world)).map((stream) => (isUnaligned ? stream.rebalance() : stream));
  let stream: DataStream<Event> = others.length === 0 ? first! : first!.union(...others);
  const after = [stream];
  stages.forEach((stage, at) => {
    stream = add(stream, stage, `${label}${stage.kind} ${at}`, run, world);
    after.push(stream);
  });
  sinks.forEach((count, index) => {
    const sink = firstSink + index;
    after[count]!.map(format).uid(`format ${sink}`).sinkTo(world.sink(sink, run)).uid(`sink ${sink}`);
  });
}

function read(env: StreamExecutionEnvironment, source: SourceSpec, { probe }: ProgramWorld): DataStream<Event> {
  const always = WatermarkStrategy.forMonotonousTimestamps<Event>().withTimestampAssigner((event) => event.at);
  const watermarks = source.idleMs === 0 ? always : always.withIdleness(source.idleMs);
  return env.fromSource(new SplitSource(source, probe), watermarks, `source ${source.name}`).uid(`source ${source.name}`).setParallelism(source.parallelism);
}

function add(stream: DataStream<Event>, stage: Stage, name: string, run: number, { clock, probe }: ProgramWorld): DataStream<Event> {
  switch (stage.kind) {
    case "map": return stream.map((event) => mapped(stage, event)).uid(name);
    case "filter": return stream.filter((event) => event.value % stage.modulus !== 0).uid(name);
    case "flatMap": return stream.flatMap<Event>((event, out: Collector<Event>) => {
      probe.visit(name);
      for (const copy of copies(stage, event)) out.collect(copy);
    }).uid(name);
    case "exchange": return stage.how === "rebalance" ? stream.rebalance() : stage.how === "shuffle" ? stream.shuffle() : stream.rescale();
    case "async": {
      const answer = async (event: Event): Promise<Event> => {
        await new Promise<void>((resolve) => void clock.setTimer(((event.value * 7) % stage.longestMs) + probe.slowMs, resolve));
        probe.visit(name);
        return event;
      };
      return stream.asyncMap(answer, { ordered: stage.ordered, capacity: stage.capacity }).uid(name);
    }
    case "hold": return stream.keyBy("key").process(() => new Hold(name, run, probe, stage.delayMs)).uid(name);
    case "holdProcessing": return stream.keyBy("key").process(() => new HoldProcessing(name, run, probe, stage.longestMs)).uid(name);
    case "dedupe": return stream.keyBy(format).process(() => new Dedupe(name, run, probe)).uid(name);
    case "count": return stream.keyBy("key").process(() => new Count(name, run, probe)).uid(name);
    case "window": {
      const { sizeMs } = stage;
      return stream.keyBy("key").window(TumblingEventTimeWindows.of(sizeMs))
        .reduce((a, b) => ({ key: a.key, at: a.at, value: a.value + b.value })).uid(name)
        .map((event) => ({ ...event, at: Math.floor(event.at / sizeMs) * sizeMs + sizeMs - 1 })).uid(`${name} end`);
    }
  }
}
