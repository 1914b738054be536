import {
  allOptions, BUFFER_TIMEOUT, CHECKPOINTING_INTERVAL, CHECKPOINTING_MODE, Configuration, duration, JOB_NAME, MAX_PARALLELISM, MillraceError, OPERATOR_CHAINING, PARALLELISM, RUNTIME_MODE,
  WatermarkStrategy, type Boundedness, type ConfigOption, type DurationLike, type KeySelector, type MultipleInputOperator, type OperatorFactory, type Source, type TypeInformation,
} from "@millrace/core";
import {
  installedExecutor, streamPlan, type CollectedResults, type JobClient, type JobExecutionResult, type JobListener, type Partitioner, type Pipeline, type PipelineExecutor, type StreamGraph, type StreamNode,
} from "@millrace/graph";
import { AsyncIterableSource, type AsyncReplayable } from "../sources/async-iterable-source.js";
import { CollectionSource, type Replayable } from "../sources/collection-source.js";
import { NumberSequenceSource } from "../sources/number-sequence-source.js";
import { SocketTextSource, type SocketTextOptions } from "../sources/socket-text-source.js";
import { DataStreamSource, SingleOutputStreamOperator, type DataStream } from "../stream/data-stream.js";
import { KeyedStream } from "../stream/keyed-stream.js";
import { bufferTimeoutMs, checkedParallelism } from "../stream/operator-attributes.js";
import { checkPlainFunction } from "../functions/user-function.js";
import { CheckpointConfig } from "./checkpoint-config.js";
import { ExecutionConfig } from "./execution-config.js";
import type { OperatorInit } from "./operator-init.js";

/** Takes the results of one collected stream. */
export interface ResultCollector {
  readonly accept: CollectedResults;
  /** The job that produces them was started, or could not be. */
  submitted(client: JobClient): void;
  failed(error: unknown): void;
}

/**
 * Where a program begins: makes streams from sources, holds the job's settings, and runs what was built. Flink: StreamExecutionEnvironment.
 *
 * What the command line (or the JobGraph, in a slot) sets wins over what the program sets. Nothing runs before `execute`, `executeAsync` or a collected stream is read.
 */
export class StreamExecutionEnvironment {
  readonly #nodes: StreamNode[] = [];
  #roots: StreamNode[] = [];
  #configuration: Configuration = Configuration.empty;
  #cachedFiles: Record<string, string> = {};
  readonly #once = new Map<string, unknown>();
  readonly #listeners: JobListener[] = [];
  #collectors = new Map<string, ResultCollector>();
  #collectorCount = 0;
  readonly #executionConfig = new ExecutionConfig((option, value) => this.#set(option, value));
  readonly #checkpointConfig = new CheckpointConfig((option, value) => this.#set(option, value));

  /** @throws `CONFIG_UNKNOWN_KEY`, `CONFIG_BAD_VALUE` */
  static getExecutionEnvironment(configuration: Readonly<Record<string, unknown>> = {}): StreamExecutionEnvironment {
    return new StreamExecutionEnvironment().configure(configuration);
  }

  // ---- settings

  /** Sets one option or several by key. @throws `CONFIG_UNKNOWN_KEY` (with the nearest known one), `CONFIG_BAD_VALUE` */
  configure(key: string, value: unknown): this;
  configure(values: Readonly<Record<string, unknown>>): this;
  configure(keyOrValues: string | Readonly<Record<string, unknown>>, value?: unknown): this {
    const values = typeof keyOrValues === "string" ? { [keyOrValues]: value } : keyOrValues;
    this.#configuration = this.#configuration.mergedWith(Configuration.of(values, allOptions));
    return this;
  }
  /** What the job will run with: the program's settings, and over them those of the command line. */
  get configuration(): Configuration {
    return this.#configuration.mergedWith(Configuration.of(installedExecutor()?.configOverrides ?? {}, allOptions));
  }
  getConfig(): ExecutionConfig {
    return this.#executionConfig;
  }
  getCheckpointConfig(): CheckpointConfig {
    return this.#checkpointConfig;
  }

  /** Parallelism of operators that set none. @throws `PARALLELISM_INVALID` */
  setParallelism(parallelism: number): this {
    return this.#set(PARALLELISM, checkedParallelism(parallelism, "parallelism"));
  }
  /** The parallelism that operators without one of their own will get. */
  getParallelism(): number {
    return this.configuration.get(PARALLELISM);
  }
  /** Number of key groups, the upper bound of rescaling. @throws `PARALLELISM_INVALID` */
  setMaxParallelism(maxParallelism: number): this {
    return this.#set(MAX_PARALLELISM, checkedParallelism(maxParallelism, "max parallelism"));
  }
  getMaxParallelism(): number {
    return this.configuration.get(MAX_PARALLELISM);
  }
  /** The longest a record waits in a buffer of a busy task; 0 flushes after every record, -1 sends full buffers only. */
  setBufferTimeout(timeout: DurationLike): this {
    return this.#set(BUFFER_TIMEOUT, bufferTimeoutMs(timeout));
  }
  /** STREAMING (the default) updates results as records come; BATCH gives each once, at the end of bounded input; AUTOMATIC chooses by the sources. */
  setRuntimeMode(mode: "STREAMING" | "BATCH" | "AUTOMATIC"): this {
    return this.#set(RUNTIME_MODE, mode);
  }
  /** Every operator becomes a task of its own. */
  disableOperatorChaining(): this {
    return this.#set(OPERATOR_CHAINING, false);
  }
  /** Takes a checkpoint every `interval`, so that a failed job goes on from the last one. @throws `DURATION_INVALID` for an interval that is not a positive duration */
  enableCheckpointing(interval: DurationLike, mode: "EXACTLY_ONCE" | "AT_LEAST_ONCE" = "EXACTLY_ONCE"): this {
    const intervalMs = duration(interval);
    if (intervalMs === 0) throw new MillraceError({ code: "DURATION_INVALID", message: "checkpoints cannot be 0 ms apart", hint: 'give the time between two, such as "10 s"' });
    return this.#set(CHECKPOINTING_INTERVAL, intervalMs).#set(CHECKPOINTING_MODE, mode);
  }
  /** Makes a file known under `name` to the functions of the job: `RuntimeContext.cachedFile(name)`. @throws `CACHED_FILE_EXISTS` */
  registerCachedFile(path: string, name: string): this {
    if (Object.hasOwn(this.#cachedFiles, name)) throw new MillraceError({ code: "CACHED_FILE_EXISTS", message: `there is already a cached file "${name}"`, hint: "give each file a name of its own" });
    this.#cachedFiles[name] = path;
    return this;
  }
  /** Told of every job this environment submits; an error it throws fails the call to `execute`. */
  registerJobListener(listener: JobListener): this {
    this.#listeners.push(listener);
    return this;
  }

  /**
   * A value that is found out once, when the job is planned, and handed to every run of the module: fetched rules, the time, random seeds.
   * The same name gives the same value. What it is must survive the exchange codec.
   */
  async once<T>(name: string, compute: () => T | Promise<T>): Promise<T> {
    if (this.#once.has(name)) return this.#once.get(name) as T;
    const planned = installedExecutor()?.onceValue?.(name);
    const value = planned === undefined ? await compute() : (planned.value as T);
    this.#once.set(name, value);
    return value;
  }

  // ---- sources

  /** These records, in order, by one subtask. A single array is taken as the records. */
  fromData<T>(values: readonly T[]): DataStreamSource<T>;
  fromData<T>(first: T, ...rest: readonly T[]): DataStreamSource<T>;
  fromData(...values: readonly unknown[]): DataStreamSource<any> {
    const records = values.length === 1 && Array.isArray(values[0]) ? (values[0] as unknown[]) : values;
    return this.fromCollection<unknown>(records, { name: "Collection Source" });
  }
  /** The records of an array, an iterable or a generator function, in order, by one subtask. A generator function is called again after a failure. */
  fromCollection<T>(values: Replayable<T>, options: { readonly name?: string; readonly boundedness?: Boundedness } = {}): DataStreamSource<T> {
    return this.fromSource(new CollectionSource<T>(values, options.boundedness), WatermarkStrategy.noWatermarks<T>(), options.name ?? "Collection Source").setParallelism(1);
  }
  /** The integers from `from` to `to`, both inclusive. */
  fromSequence(from: number, to: number): DataStreamSource<number> {
    return this.fromSource(new NumberSequenceSource(from, to), WatermarkStrategy.noWatermarks<number>(), "Sequence Source");
  }
  /** Any source; event time comes from `watermarks`. @throws `SOURCE_INVALID`, `WATERMARK_STRATEGY_MISSING` */
  fromSource<T>(source: Source<T, any, any>, watermarks: WatermarkStrategy<NoInfer<T>>, name: string): DataStreamSource<T> {
    if (typeof source?.createReader !== "function") throw new MillraceError({ code: "SOURCE_INVALID", message: "fromSource was given something that is not a source", hint: "pass an object with createEnumerator and createReader" });
    if (typeof watermarks?.createGenerator !== "function") throw new MillraceError({ code: "WATERMARK_STRATEGY_MISSING", message: `fromSource("${name}") was given no watermark strategy`, hint: "pass WatermarkStrategy.noWatermarks() where event time does not matter" });
    return new DataStreamSource<T>(this, this.#addNode({ spec: { type: "source", source, watermarks }, name, inputs: [] }));
  }
  /**
   * The records of an async iterable (a Node `Readable`, a Web `ReadableStream`, an async generator), by one subtask.
   *
   * Given as a function it is opened again after a failure, at the number of records that were read before: `fromAsyncIterable((position) => open(position))`.
   * An iterable that is given itself can only be read once: restoring after it was read from is `SOURCE_NOT_REPLAYABLE`.
   */
  fromAsyncIterable<T>(values: AsyncReplayable<T>, options: { readonly name?: string; readonly boundedness?: Boundedness } = {}): DataStreamSource<T> {
    return this.fromSource(new AsyncIterableSource<T>(values, options.boundedness), WatermarkStrategy.noWatermarks<T>(), options.name ?? "Async Iterable Source").setParallelism(1);
  }
  /** Lines of text from a TCP server, by one subtask; unbounded, and without any guarantee: what came while nobody listened is lost. */
  socketTextStream(host: string, port: number, options: SocketTextOptions = {}): DataStreamSource<string> {
    return this.fromSource(new SocketTextSource(host, port, options), WatermarkStrategy.noWatermarks<string>(), "Socket Stream").setParallelism(1);
  }

  // ---- running

  /** Runs the program and resolves when it has finished. @throws `EXECUTOR_MISSING`, `JOB_FAILED`, and what {@link executeAsync} throws */
  async execute(jobName?: string): Promise<JobExecutionResult> {
    const client = await this.executeAsync(jobName);
    let result: JobExecutionResult;
    try {
      result = await client.getJobExecutionResult();
    } catch (error) {
      for (const listener of this.#listeners) listener.onJobExecuted?.(undefined, error);
      throw error;
    }
    for (const listener of this.#listeners) listener.onJobExecuted?.(result, undefined);
    return result;
  }

  /** Starts the program and resolves once it is submitted. What was built is then gone from the environment: another call runs what is added afterwards. */
  async executeAsync(jobName?: string): Promise<JobClient> {
    const executor = requireExecutor();
    const collectors = this.#collectors;
    let client: JobClient;
    try {
      const pipeline = this.pipeline(jobName);
      this.#roots = [];
      this.#collectors = new Map();
      client = await executor.execute(pipeline);
    } catch (error) {
      for (const collector of collectors.values()) collector.failed(error);
      for (const listener of this.#listeners) listener.onJobSubmitted?.(undefined, error);
      throw error;
    }
    for (const collector of collectors.values()) collector.submitted(client);
    for (const listener of this.#listeners) listener.onJobSubmitted?.(client, undefined);
    return client;
  }

  /** The program as it stands, as Flink's plan JSON. */
  getExecutionPlan(): string {
    return JSON.stringify(streamPlan(this.pipeline()), null, 2);
  }
  /** The operators built so far, and what they read; sources that nobody reads are left out. */
  getStreamGraph(): StreamGraph {
    const wanted = new Set<StreamNode>();
    const pending = [...this.#roots];
    for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
      if (wanted.has(node)) continue;
      wanted.add(node);
      for (const edge of node.inputs) pending.push(edge.source);
    }
    return { nodes: this.#nodes.filter((node) => wanted.has(node)) };
  }
  /** Everything an executor is handed. */
  pipeline(jobName?: string): Pipeline {
    const config = this.configuration;
    const overridden = installedExecutor()?.configOverrides?.[JOB_NAME.key] !== undefined;
    return {
      graph: this.getStreamGraph(),
      jobName: overridden ? config.get(JOB_NAME) : (jobName ?? config.get(JOB_NAME)),
      config,
      parameters: { ...this.#executionConfig.globalJobParameters, ...installedExecutor()?.parameterOverrides },
      cachedFiles: { ...this.#cachedFiles },
      once: new Map(this.#once),
      collectors: new Map([...this.#collectors].map(([id, collector]) => [id, collector.accept])),
    };
  }

  // ---- for libraries that add operators

  /** Adds an operator to the program. The streams' own methods end here. */
  addOperator(init: OperatorInit): StreamNode {
    const node = this.#addNode(init);
    this.#roots.push(node);
    return node;
  }
  /** Adds an operator that reads any number of streams, keyed or not. */
  transformMultiple<R>(name: string, streams: readonly DataStream<any>[], factory: OperatorFactory<MultipleInputOperator<R>>, outputType?: TypeInformation<R>): SingleOutputStreamOperator<R> {
    checkPlainFunction(factory, "transformMultiple");
    const node = this.addOperator({
      spec: { type: "custom", inputs: streams.length, factory },
      name,
      inputs: streams.map((stream) => stream.inputs),
      keySelectors: streams.some((stream) => stream instanceof KeyedStream) ? streams.map((stream) => (stream instanceof KeyedStream ? stream.keySelector : undefined)) : [],
      outputType,
    });
    return new SingleOutputStreamOperator<R>(this, node);
  }
  keyedStream<T, K>(stream: DataStream<T>, keySelector: KeySelector<T, K>, partitioner?: Partitioner): KeyedStream<T, K> {
    return new KeyedStream<T, K>(this, stream.inputs, keySelector, partitioner);
  }
  /** Registers a taker of results; the id is the one its sink passes to `SinkWriterContext.collect`. */
  addCollector(collector: ResultCollector): string {
    const collectId = `collect-${++this.#collectorCount}`;
    this.#collectors.set(collectId, collector);
    return collectId;
  }

  #addNode(init: OperatorInit): StreamNode {
    const node: StreamNode = {
      id: this.#nodes.length + 1,
      spec: init.spec,
      name: init.name,
      uid: undefined,
      description: undefined,
      parallelism: init.parallelism,
      maxParallelism: undefined,
      forceNonParallel: init.forceNonParallel ?? false,
      slotSharingGroup: undefined,
      chaining: "always",
      bufferTimeoutMs: undefined,
      outputType: init.outputType,
      keySelectors: init.keySelectors ?? [],
      inputs: init.inputs.flatMap((inputs, inputIndex) => inputs.map(({ source, partitioner, sideOutput }) => ({ source, inputIndex, partitioner, sideOutput }))),
    };
    this.#nodes.push(node);
    return node;
  }

  #set<T>(option: ConfigOption<T>, value: unknown): this {
    this.#configuration = this.#configuration.with(option, value);
    return this;
  }
}

function requireExecutor(): PipelineExecutor {
  const executor = installedExecutor();
  if (executor !== undefined) return executor;
  throw new MillraceError({
    code: "EXECUTOR_MISSING",
    message: "there is nothing here that runs jobs",
    hint: 'import the package "millrace", which brings the embedded cluster, instead of "@millrace/datastream"',
  });
}
