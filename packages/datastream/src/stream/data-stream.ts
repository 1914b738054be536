import type {
  FilterFn, FilterFunction, FlatMapFn, FlatMapFunction, KeySelector, MapFn, MapFunction, MapStateDescriptor, OneInputOperator, OperatorFactory, OutputTag,
  PartitionFn, ProcessFunction, ProcessFunctionSource, RichFunctionSource, Sink, TypeInformation, WatermarkStrategy, Window, GlobalWindow,
} from "@millrace/core";
import { MillraceError } from "@millrace/core";
import type { OperatorSpec, Partitioner, StreamNode } from "@millrace/graph";
import { implicitForward, type StreamInput } from "../environment/operator-init.js";
import type { StreamExecutionEnvironment } from "../environment/stream-execution-environment.js";
import { fieldSelector, fieldsSelector } from "../functions/fields.js";
import { checkFunction, checkFunctionSource, checkPlainFunction, type NotAsync } from "../functions/user-function.js";
import type { InferOutput, InvalidRecord, StandardSchema } from "../schema/standard-schema.js";
import { validateFactory } from "../schema/validate.js";
import { DiscardingSink } from "../sinks/discarding-sink.js";
import { FunctionSink, type SinkFn } from "../sinks/function-sink.js";
import { PrintSink } from "../sinks/print-sink.js";
import { WritableSink, type WritableTarget } from "../sinks/writable-sink.js";
import { AllWindowedStream } from "./all-windowed-stream.js";
import { asyncSpec, type AsyncMapOptions } from "./async-spec.js";
import { BroadcastConnectedStream, BroadcastStream } from "./broadcast-stream.js";
import { CoGroupedStreams } from "./co-grouped-streams.js";
import { collectAll, collectStream, type CollectedRecords, type CollectOptions } from "./collected-records.js";
import { ConnectedStreams } from "./connected-streams.js";
import { countWindowAll } from "./count-window.js";
import { DataStreamSink } from "./data-stream-sink.js";
import { JoinedStreams } from "./joined-streams.js";
import type { KeyedStream } from "./keyed-stream.js";
import { PartitionWindowedStream } from "./partition-windowed-stream.js";
import { recordHint } from "./record-hint.js";
import type { AssignerOf } from "./window-settings.js";
import { addMetricVariable, bufferTimeoutMs, checkedText, checkedUidHash, setMaxParallelism, setParallelism } from "./operator-attributes.js";

/** What becomes of records a schema refuses: the job fails, they are dropped and counted, or they go to a side output. */
export type OnInvalid = "fail" | "skip" | OutputTag<InvalidRecord>;

/**
 * A stream of records, as the outputs of one or more operators. Each transformation adds an operator to the program and returns its output; nothing runs before
 * `env.execute()`. Flink: DataStream.
 *
 * Functions are checked when they are given: `FUNCTION_MISSING`, `FUNCTION_INSTANCE`, `FUNCTION_INVALID` or `FUNCTION_ASYNC`.
 */
export class DataStream<T> {
  readonly environment: StreamExecutionEnvironment;
  /** The operator outputs that make up the stream. For libraries that add operators of their own. */
  readonly inputs: readonly StreamInput[];
  /** Only for the compiler. */
  declare readonly element?: T;

  constructor(environment: StreamExecutionEnvironment, inputs: readonly StreamInput[]) {
    this.environment = environment;
    this.inputs = inputs;
  }

  // ---- record by record

  /** One result per record. */
  map<R>(fn: (MapFn<T, R> & NotAsync<R>) | RichFunctionSource<MapFunction<T, R>>): SingleOutputStreamOperator<R> {
    checkFunction(fn, "map");
    return this.addOperator<R>("Map", { type: "map", fn: fn as MapFn<T, R> });
  }

  /** Keeps the records the function says yes to; a type guard narrows the stream. */
  filter<S extends T>(fn: (value: T) => value is S): SingleOutputStreamOperator<S>;
  filter(fn: FilterFn<T> | RichFunctionSource<FilterFunction<T>>): SingleOutputStreamOperator<T>;
  filter(fn: FilterFn<T> | RichFunctionSource<FilterFunction<T>>): SingleOutputStreamOperator<T> {
    checkFunction(fn, "filter");
    return this.addOperator<T>("Filter", { type: "filter", fn });
  }

  /**
   * Emits any number of records per record: what the function returns (an array, a generator), and what it gives to the collector, which costs less.
   * TypeScript cannot infer their type from `out.collect(…)`: write `flatMap<R>((value, out) => …)` there.
   */
  flatMap<R>(fn: FlatMapFn<T, R> | RichFunctionSource<FlatMapFunction<T, R>>): SingleOutputStreamOperator<R> {
    checkFunction(fn, "flatMap");
    return this.addOperator<R>("Flat Map", { type: "flatMap", fn });
  }

  /** Any number of results per record, with its time, side outputs and metrics. State and timers need a key: see `keyBy`. */
  process<R>(fn: ProcessFunctionSource<ProcessFunction<T, R>>): SingleOutputStreamOperator<R> {
    checkFunctionSource(fn, "process");
    return this.addOperator<R>("Process", { type: "process", fn });
  }

  /** Calls an external system per record and emits what the promise resolves with. The short form of `AsyncDataStream`. */
  asyncMap<R>(fn: (value: T) => Promise<R>, options: AsyncMapOptions<R> = {}): SingleOutputStreamOperator<R> {
    if (typeof fn !== "function") checkPlainFunction(fn, "asyncMap");
    return this.addOperator<R>("Async Map", asyncSpec(fn, options));
  }

  /**
   * Checks every record with a Standard Schema validator (zod, valibot, arktype, …) and goes on with what it returns.
   *
   * Records it refuses fail the job with `RECORD_INVALID` (the default), are dropped and counted in the metric `numRecordsInvalid`, or go to the side output
   * `invalid` with their issues. A validator that answers with a promise is `VALIDATION_ASYNC`.
   */
  validate<S extends StandardSchema>(schema: S, options: { readonly invalid?: OnInvalid } = {}): SingleOutputStreamOperator<InferOutput<S>> {
    return this.addOperator<InferOutput<S>>("Validate", { type: "process", fn: validateFactory(schema, options.invalid ?? "fail") });
  }

  // ---- several streams

  /** All records of these streams, in no particular order between them. */
  union(...others: readonly DataStream<T>[]): DataStream<T> {
    for (const other of others) {
      if (other.environment !== this.environment) throw new MillraceError({ code: "ENVIRONMENT_MIXED", message: "the streams of a union belong to different environments", hint: "build one job with one environment" });
    }
    return new DataStream<T>(this.environment, [this, ...others].flatMap((stream) => stream.inputs));
  }

  /** One operator over two streams of different types; over a broadcast stream, with broadcast state. @throws `ENVIRONMENT_MIXED` */
  connect<B>(other: BroadcastStream<B>): BroadcastConnectedStream<T, B>;
  connect<B>(other: DataStream<B>): ConnectedStreams<T, B>;
  connect<B>(other: DataStream<B> | BroadcastStream<B>): ConnectedStreams<T, B> | BroadcastConnectedStream<T, B> {
    return other instanceof BroadcastStream ? new BroadcastConnectedStream<T, B>(this, other) : new ConnectedStreams<T, B>(this, other);
  }

  /** Joins two streams by key and window: `a.join(b).where(…).equalTo(…).window(…).apply(…)`. */
  join<B>(other: DataStream<B>): JoinedStreams<T, B> {
    return new JoinedStreams<T, B>(this, other);
  }

  /** Both streams' records of a key and window, together: `a.coGroup(b).where(…).equalTo(…).window(…).apply(…)`. */
  coGroup<B>(other: DataStream<B>): CoGroupedStreams<T, B> {
    return new CoGroupedStreams<T, B>(this, other);
  }

  // ---- keys and partitions

  /** Partitions by key: a selector, or one or more field names (several make an array of their values the key). Keys are checked at run time: `KEY_INVALID`. */
  keyBy<K>(selector: KeySelector<T, K> & NotAsync<K>, keyType?: TypeInformation<K>): KeyedStream<T, K>;
  keyBy<F extends keyof T & (string | number)>(field: F): KeyedStream<T, T[F]>;
  keyBy<const F extends readonly (keyof T & (string | number))[]>(...fields: F): KeyedStream<T, { -readonly [I in keyof F]: T[F[I]] }>;
  keyBy(...key: readonly unknown[]): KeyedStream<T, any> {
    return this.environment.keyedStream<T, any>(this, this.selectorOf(key, "keyBy"));
  }

  /**
   * Takes a stream as keyed that is partitioned by this key already, without sending its records anywhere: what a keyed operator emitted for the key it had.
   * A record whose key belongs to another subtask fails the task with `KEY_GROUP_MISROUTED`. Flink: DataStreamUtils.reinterpretAsKeyedStream.
   */
  reinterpretAsKeyedStream<K>(selector: KeySelector<T, K> & NotAsync<K>): KeyedStream<T, K>;
  reinterpretAsKeyedStream<F extends keyof T & (string | number)>(field: F): KeyedStream<T, T[F]>;
  reinterpretAsKeyedStream<const F extends readonly (keyof T & (string | number))[]>(...fields: F): KeyedStream<T, { -readonly [I in keyof F]: T[F[I]] }>;
  reinterpretAsKeyedStream(...key: readonly unknown[]): KeyedStream<T, any> {
    return this.environment.keyedStream<T, any>(this, this.selectorOf(key, "reinterpretAsKeyedStream"), { kind: "forward" });
  }

  /** One to one; both sides need the same parallelism. */
  forward(): DataStream<T> {
    return this.partitioned({ kind: "forward" });
  }
  /** Round robin to all. */
  rebalance(): DataStream<T> {
    return this.partitioned({ kind: "rebalance" });
  }
  /** Round robin to a few: each producer has its own share of the consumers (or the other way round). */
  rescale(): DataStream<T> {
    return this.partitioned({ kind: "rescale" });
  }
  /** At random. */
  shuffle(): DataStream<T> {
    return this.partitioned({ kind: "shuffle" });
  }
  /** Everything to the first subtask. */
  global(): DataStream<T> {
    return this.partitioned({ kind: "global" });
  }
  /** Everything to every subtask; with descriptors, as the broadcast side of `connect`. */
  broadcast(): DataStream<T>;
  broadcast(...descriptors: readonly [MapStateDescriptor<any, any>, ...MapStateDescriptor<any, any>[]]): BroadcastStream<T>;
  broadcast(...descriptors: readonly MapStateDescriptor<any, any>[]): DataStream<T> | BroadcastStream<T> {
    const stream = this.partitioned({ kind: "broadcast" });
    return descriptors.length === 0 ? stream : new BroadcastStream<T>(stream, descriptors);
  }
  /** `partition(key, n)` names the subtask, in [0, n). */
  partitionCustom<K>(partition: PartitionFn<K>, key: KeySelector<T, K> & NotAsync<K>): DataStream<T>;
  partitionCustom<F extends keyof T & (string | number)>(partition: PartitionFn<T[F]>, field: F): DataStream<T>;
  partitionCustom(partition: PartitionFn<any>, key: unknown): DataStream<T> {
    checkPlainFunction(partition, "partitionCustom");
    return this.partitioned({ kind: "custom", partition, keySelector: this.selectorOf([key], "partitionCustom") });
  }

  // ---- windows over everything

  /** Windows over all records, in one subtask. */
  windowAll<W extends Window>(assigner: AssignerOf<T, W>): AllWindowedStream<T, W> {
    return new AllWindowedStream<T, W>(this, assigner);
  }
  /** Every `size` records; with `slide`, the last `size` of them every `slide` records. One subtask. */
  countWindowAll(size: number, slide?: number): AllWindowedStream<T, GlobalWindow> {
    return countWindowAll(this, size, slide);
  }
  /** Everything each subtask receives, as one window at the end of bounded input. */
  fullWindowPartition(): PartitionWindowedStream<T> {
    return new PartitionWindowedStream<T>(this);
  }

  // ---- time, types, own operators

  /** Gives records event time here, replacing what they had. Best done in the source, where each split has its own watermark. */
  assignTimestampsAndWatermarks(strategy: WatermarkStrategy<T>): SingleOutputStreamOperator<T> {
    return this.addOperator<T>("Timestamps/Watermarks", { type: "timestamps", watermarks: strategy });
  }

  /** Adds an operator of the core SPI. Its factory runs once per subtask, in the task. */
  transform<R>(name: string, factory: OperatorFactory<OneInputOperator<T, R>>, outputType?: TypeInformation<R>): SingleOutputStreamOperator<R> {
    checkPlainFunction(factory, "transform");
    return this.addOperator<R>(name, { type: "custom", inputs: 1, factory }, outputType);
  }

  // ---- results

  /** Writes every record to a sink. @throws `SINK_INVALID` */
  sinkTo(sink: Sink<T, any, any>): DataStreamSink<T>;
  /** Calls a function per record; a promise it returns pauses the input until it settles. At least once. */
  sinkTo(write: SinkFn<T>): DataStreamSink<T>;
  sinkTo(sink: Sink<T, any, any> | SinkFn<T>): DataStreamSink<T> {
    const target = typeof sink === "function" ? new FunctionSink<T>(sink) : sink;
    if (typeof target?.createWriter !== "function") {
      throw new MillraceError({ code: "SINK_INVALID", message: `sinkTo was given ${target === undefined ? "undefined" : "something that is not a sink"}`, hint: "pass a Sink (it has createWriter) or a function of one record" });
    }
    return this.addSink(target.description ?? "Writer", target);
  }
  /** Writes every record to a Node `Writable` or a Web `WritableStream`, which is opened per subtask when given as a function. At least once. */
  pipeTo(target: WritableTarget<T>): DataStreamSink<T> {
    const sink = this.addSink("Writable", new WritableSink<T>(target));
    // One stream object cannot be written from several subtasks.
    return typeof target === "function" ? sink : sink.setParallelism(1);
  }
  /** Prints every record on the standard output of the program, labelled with `prefix` and, in parallel, the subtask. */
  print(prefix?: string): DataStreamSink<T> {
    return this.addSink("Print to Std. Out", new PrintSink<T>("print", prefix));
  }
  /** As `print`, through the log at level `warn`, which goes to the standard error. */
  printToErr(prefix?: string): DataStreamSink<T> {
    return this.addSink("Print to Std. Err", new PrintSink<T>("warn", prefix));
  }
  /** Drops every record: for jobs that only have side effects, and for measuring. */
  discard(): DataStreamSink<T> {
    return this.addSink("Discard", new DiscardingSink<T>());
  }
  /**
   * Runs the job and resolves with this stream's records. With a `limit`, cancels the job once it has that many.
   * Results are those of the job, exactly once, when checkpointing is on; without it a restart repeats some.
   */
  executeAndCollect(limit?: number): Promise<T[]>;
  executeAndCollect(options: CollectOptions): Promise<T[]>;
  executeAndCollect(options: number | CollectOptions = {}): Promise<T[]> {
    return collectAll(this, typeof options === "number" ? { limit: options } : options);
  }
  /** This stream's records for `for await`. Runs the job at the first one, unless `env.executeAsync()` was called by then. Leaving the loop cancels a job it started. */
  collectAsync(): CollectedRecords<T> {
    return collectStream(this);
  }

  // ---- for libraries

  /** Adds an operator that reads this stream. */
  addOperator<R>(name: string, spec: OperatorSpec, outputType?: TypeInformation<R>): SingleOutputStreamOperator<R> {
    const node = this.environment.addOperator({ spec, name, inputs: [this.inputs], keySelectors: this.keySelectorsOf(spec), outputType });
    return new SingleOutputStreamOperator<R>(this.environment, node);
  }

  /** What an operator on this stream is keyed by; nothing here, the key on a keyed stream. */
  protected keySelectorsOf(_spec: OperatorSpec): readonly KeySelector<any, any>[] {
    return [];
  }

  protected partitioned(partitioner: Partitioner): DataStream<T> {
    return new DataStream<T>(this.environment, this.inputs.map((input) => ({ ...input, partitioner })));
  }

  /** A selector from what the user gave: a function, or field names. */
  selectorOf(key: readonly unknown[], method: string): KeySelector<T, any> {
    const [first] = key;
    if (typeof first === "string" || typeof first === "number") {
      const fields = key as readonly (string | number)[];
      return fields.length === 1 ? fieldSelector(first, recordHint(this.inputs)) : fieldsSelector(fields, recordHint(this.inputs));
    }
    checkPlainFunction(first, method);
    return first as KeySelector<T, any>;
  }

  private addSink(name: string, sink: Sink<T, any, any>): DataStreamSink<T> {
    return new DataStreamSink<T>(this.environment.addOperator({ spec: { type: "sink", sink }, name, inputs: [this.inputs] }));
  }
}

/** The output of one operator, which can be named and tuned, and whose side outputs can be read. Flink: SingleOutputStreamOperator. */
export class SingleOutputStreamOperator<T> extends DataStream<T> {
  readonly node: StreamNode;

  constructor(environment: StreamExecutionEnvironment, node: StreamNode) {
    super(environment, [{ source: node, partitioner: implicitForward, sideOutput: undefined }]);
    this.node = node;
  }

  /** Shown in plans, metrics and errors. Without a `uid` it is part of the operator's id. */
  name(name: string): this {
    this.node.name = checkedText(name, "name", this.node);
    return this;
  }
  /** Names the operator's state in checkpoints, whatever else changes in the program. Twice in one job is `DUPLICATE_UID`. */
  uid(uid: string): this {
    this.node.uid = checkedText(uid, "uid", this.node);
    return this;
  }
  /**
   * Gives the operator the id under which an older program left its state, as errors and `_metadata` show it: 32 hex digits. For state of an operator
   * that had no uid; keep it as long as that state is there. @throws `ATTRIBUTE_INVALID`
   */
  setUidHash(uidHash: string): this {
    this.node.uidHash = checkedUidHash(uidHash, this.node);
    return this;
  }
  /** Shown in plans in place of the name. */
  description(description: string): this {
    this.node.description = description;
    return this;
  }
  /** @throws `PARALLELISM_INVALID` unless an integer from 1 to 32768 */
  setParallelism(parallelism: number): this {
    setParallelism(this.node, parallelism);
    return this;
  }
  /** Number of key groups of the operator's state, which bounds its parallelism for ever. @throws `PARALLELISM_INVALID` */
  setMaxParallelism(maxParallelism: number): this {
    setMaxParallelism(this.node, maxParallelism);
    return this;
  }
  /** Runs as one subtask, whatever the parallelism of the job. */
  forceNonParallel(): this {
    this.node.forceNonParallel = true;
    this.node.parallelism = 1;
    return this;
  }
  /** Tasks of different groups never share a slot. Inherited from the inputs when they agree; else "default". */
  slotSharingGroup(group: string): this {
    this.node.slotSharingGroup = checkedText(group, "slot sharing group", this.node);
    return this;
  }
  /** A label for all metrics of the operator, beside those of Flink. A key given again has the last value. @throws `ATTRIBUTE_INVALID` for one of Flink's labels */
  addMetricVariable(key: string, value: string): this {
    addMetricVariable(this.node, key, value);
    return this;
  }
  /** A task of its own, chained to nothing. */
  disableChaining(): this {
    this.node.chaining = "never";
    return this;
  }
  /** Starts a task here; what follows may be chained to it. */
  startNewChain(): this {
    this.node.chaining = "head";
    return this;
  }
  /** The longest a record waits in a buffer of this operator's task; 0 flushes after every record, -1 sends full buffers only. */
  setBufferTimeout(timeout: DurationParameter): this {
    this.node.bufferTimeoutMs = bufferTimeoutMs(timeout);
    return this;
  }
  /** Declares the records' type, for state and exchanges that should not find it out at run time. */
  returns<R extends T>(type: TypeInformation<R>): this {
    this.node.outputType = type as TypeInformation<unknown>;
    return this;
  }
  /** The records this operator's functions sent to `tag`. */
  getSideOutput<X>(tag: OutputTag<X>): DataStream<X> {
    return new DataStream<X>(this.environment, [{ source: this.node, partitioner: implicitForward, sideOutput: tag }]);
  }
}

/** The stream of a source. Flink: DataStreamSource. */
export class DataStreamSource<T> extends SingleOutputStreamOperator<T> {}

type DurationParameter = Parameters<typeof bufferTimeoutMs>[0];
