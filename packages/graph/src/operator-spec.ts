import type {
  AggregateFunction, AsyncFunction, AsyncRetryStrategy, BroadcastProcessFunction, CoFlatMapFunction, CoGroupFn, CoMapFunction, CoProcessFunction,
  Duration, Evictor, FilterFn, FilterFunction, FlatJoinFn, FlatMapFn, FlatMapFunction, JoinFn, KeyedBroadcastProcessFunction, KeyedCoProcessFunction,
  KeyedProcessFunction, MapFn, MapFunction, MapPartitionFn, MapStateDescriptor, OperatorFactory, OutputTag, ProcessFunction, ProcessFunctionSource,
  ProcessAllWindowFunction, ProcessJoinFunction, ProcessWindowFunction, ReduceFn, ReduceFunction, RichFunctionSource, Sink, Source, SourceSplit, Trigger,
  WatermarkStrategy, WindowAssigner, WindowFn,
} from "@millrace/core";

/**
 * What an operator does, as data: the DataStream API writes these, the runtime turns each into an operator (or into a line of a compiled chain).
 *
 * Only the functions in here come from re-running the job's module; they never leave the isolate.
 */
export type OperatorSpec =
  | SourceSpec | SinkSpec | MapSpec | FilterSpec | FlatMapSpec | ProcessSpec | KeyedProcessSpec | TimestampsSpec | KeyedReduceSpec
  | CoMapSpec | CoFlatMapSpec | CoProcessSpec | KeyedCoProcessSpec | BroadcastProcessSpec | KeyedBroadcastProcessSpec | IntervalJoinSpec
  | WindowSpec | WindowJoinSpec | PartitionWindowSpec | AsyncSpec | CustomSpec;

export interface SourceSpec {
  readonly type: "source";
  readonly source: Source<any, SourceSplit, any>;
  readonly watermarks: WatermarkStrategy<any>;
}
/** The runtime splits a sink with a committer into a writer and a committer inside one operator. */
export interface SinkSpec {
  readonly type: "sink";
  readonly sink: Sink<any, any, any>;
}
export interface MapSpec extends WrappedFunctions {
  readonly type: "map";
  readonly fn: MapFn<any, any> | RichFunctionSource<MapFunction<any, any>>;
}
export interface FilterSpec {
  readonly type: "filter";
  readonly fn: FilterFn<any> | RichFunctionSource<FilterFunction<any>>;
}
export interface FlatMapSpec {
  readonly type: "flatMap";
  readonly fn: FlatMapFn<any, any> | RichFunctionSource<FlatMapFunction<any, any>>;
}
export interface ProcessSpec extends WrappedFunctions {
  readonly type: "process";
  readonly fn: ProcessFunctionSource<ProcessFunction<any, any>>;
}
export interface KeyedProcessSpec {
  readonly type: "keyedProcess";
  readonly fn: ProcessFunctionSource<KeyedProcessFunction<any, any, any>>;
}
export interface TimestampsSpec {
  readonly type: "timestamps";
  readonly watermarks: WatermarkStrategy<any>;
}
/** Rolling reduce per key: emits the new accumulator for every record; in batch mode once per key at the end of input. */
export interface KeyedReduceSpec extends WrappedFunctions {
  readonly type: "keyedReduce";
  readonly fn: ReduceFn<any> | RichFunctionSource<ReduceFunction<any>>;
  /** What `fn` does, when it is one of these: an operator may do the same in place. */
  readonly fieldReduction?: FieldReduction;
}
/** The first record, with one field replaced by the sum, the smaller (`<`) or the larger (`>`) of both. */
export interface FieldReduction {
  readonly field: string | number;
  readonly combine: "sum" | "min" | "max";
}
export interface CoMapSpec extends WrappedFunctions {
  readonly type: "coMap";
  readonly fn: RichFunctionSource<CoMapFunction<any, any, any>>;
}
export interface CoFlatMapSpec extends WrappedFunctions {
  readonly type: "coFlatMap";
  readonly fn: RichFunctionSource<CoFlatMapFunction<any, any, any>>;
}
export interface CoProcessSpec {
  readonly type: "coProcess";
  readonly fn: ProcessFunctionSource<CoProcessFunction<any, any, any>>;
}
export interface KeyedCoProcessSpec {
  readonly type: "keyedCoProcess";
  readonly fn: ProcessFunctionSource<KeyedCoProcessFunction<any, any, any, any>>;
}
/** Input 0 is the stream, input 1 the broadcast one. */
export interface BroadcastProcessSpec {
  readonly type: "broadcastProcess";
  readonly fn: ProcessFunctionSource<BroadcastProcessFunction<any, any, any>>;
  readonly descriptors: readonly MapStateDescriptor<any, any>[];
}
export interface KeyedBroadcastProcessSpec {
  readonly type: "keyedBroadcastProcess";
  readonly fn: ProcessFunctionSource<KeyedBroadcastProcessFunction<any, any, any, any>>;
  readonly descriptors: readonly MapStateDescriptor<any, any>[];
}
/** Pairs records of one key with right.time in [left.time + lower, left.time + upper], both bounds inclusive as given here. */
export interface IntervalJoinSpec {
  readonly type: "intervalJoin";
  readonly lowerBoundMs: number;
  readonly upperBoundMs: number;
  readonly lateLeft?: OutputTag<any>;
  readonly lateRight?: OutputTag<any>;
  readonly fn: ProcessFunctionSource<ProcessJoinFunction<any, any, any>>;
}
/** A window operator, keyed or (with `keyed: false`, parallelism 1) over all records. */
export interface WindowSpec {
  readonly type: "window";
  readonly keyed: boolean;
  readonly assigner: WindowAssigner<any, any>;
  /** `undefined`: the assigner's default. */
  readonly trigger?: Trigger<any, any>;
  readonly evictor?: Evictor<any, any>;
  readonly allowedLatenessMs: Duration;
  readonly lateTag?: OutputTag<any>;
  /** At most one of the two; neither: the window keeps its records. */
  readonly reduce?: ReduceFn<any>;
  readonly aggregate?: AggregateFunction<any, any, any>;
  /** Runs per firing over the records, or over the single aggregated value; absent: the aggregated value is the result. */
  readonly fn?: WindowFunctionSpec;
}
export type WindowFunctionSpec = (
  | { readonly kind: "plain"; readonly fn: WindowFn<any, any, any, any> }
  | { readonly kind: "process"; readonly fn: ProcessFunctionSource<ProcessWindowFunction<any, any, any, any>> }
  | { readonly kind: "processAll"; readonly fn: ProcessFunctionSource<ProcessAllWindowFunction<any, any, any>> }
) & WrappedFunctions;
/** The user's functions behind a function of the API that wraps them: only read for the fingerprint, which cannot see into closures. */
export interface WrappedFunctions {
  readonly functions?: readonly unknown[];
}
/** Window join and coGroup of two keyed inputs. */
export interface WindowJoinSpec {
  readonly type: "windowJoin";
  readonly assigner: WindowAssigner<any, any>;
  readonly trigger?: Trigger<any, any>;
  readonly evictor?: Evictor<any, any>;
  readonly allowedLatenessMs: Duration;
  readonly join?: JoinFn<any, any, any>;
  readonly flatJoin?: FlatJoinFn<any, any, any>;
  readonly coGroup?: CoGroupFn<any, any, any>;
}
/** `fullWindowPartition`: everything a subtask (or, keyed, a key) received, at the end of input. */
export interface PartitionWindowSpec {
  readonly type: "partitionWindow";
  readonly keyed: boolean;
  readonly mapPartition?: MapPartitionFn<any, any>;
  readonly sort?: { readonly selector: (value: any) => any; readonly order: "ascending" | "descending" };
  readonly reduce?: ReduceFn<any>;
  readonly aggregate?: AggregateFunction<any, any, any>;
}
export interface AsyncSpec {
  readonly type: "async";
  /** The plain form resolves with exactly one result. */
  readonly fn: ((value: any) => Promise<any>) | RichFunctionSource<AsyncFunction<any, any>>;
  readonly ordered: boolean;
  /** 0: none. */
  readonly timeoutMs: Duration;
  readonly capacity: number;
  readonly retry?: AsyncRetryStrategy<any>;
}
/** Any operator of the core SPI, with any number of inputs. */
export interface CustomSpec {
  readonly type: "custom";
  readonly inputs: number;
  readonly factory: OperatorFactory<any>;
}
