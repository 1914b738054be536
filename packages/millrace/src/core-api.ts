/** The part of `@millrace/core` that programs use; the rest of it is for connectors and the engine. */
export {
  MillraceError, isMillraceError, duration, NO_TIMESTAMP, MIN_WATERMARK, MAX_WATERMARK, Configuration, OutputTag, Types, registerType, functionFactory,
  SumCounter, Minimum, Maximum, Average, CountHistogram, ListAccumulator, WatermarkStrategy, boundedOutOfOrderness, noWatermarks,
  ValueStateDescriptor, ListStateDescriptor, MapStateDescriptor, ReducingStateDescriptor, AggregatingStateDescriptor,
  TimeWindow, GlobalWindow, TumblingEventTimeWindows, TumblingProcessingTimeWindows, SlidingEventTimeWindows, SlidingProcessingTimeWindows,
  CumulatingEventTimeWindows, timeWindowCodec, globalWindowCodec, windowStart, mergeTimeWindows, requireTimestamp, commutative,
  EventTimeSessionWindows, ProcessingTimeSessionWindows, GlobalWindows,
  EventTimeTrigger, ProcessingTimeTrigger, CountTrigger, ContinuousEventTimeTrigger, ContinuousProcessingTimeTrigger, DeltaTrigger, PurgingTrigger,
  ProcessingTimeoutTrigger, NeverTrigger, EndOfStreamTrigger, CountEvictor, TimeEvictor, DeltaEvictor, stateTtl, StringSchema, JsonSchema, RawSchema, RowKind,
} from "@millrace/core";
export type {
  StateTtlConfig, Recovery, ErrorLocation, Duration, DurationLike, Clock, FileSystem, Collector, Output, TypeInformation, TypeSchema, MetricGroup, Counter, Gauge, Meter, Histogram,
  MapFn, FilterFn, FlatMapFn, FlatMapResult, FlatJoinFn, ReduceFn, KeySelector, TimestampAssigner, PartitionFn, MapFunction, FilterFunction, FlatMapFunction, ReduceFunction,
  CoMapFunction, CoFlatMapFunction, JoinFn, CoGroupFn, MapPartitionFn, AggregateFunction, RichFunction, FunctionFactory, RuntimeContext, Accumulator,
  ProcessFunction, KeyedProcessFunction, CoProcessFunction, KeyedCoProcessFunction, ProcessJoinFunction, BroadcastProcessFunction, KeyedBroadcastProcessFunction,
  ProcessWindowFunction, ProcessAllWindowFunction, ProcessContext, KeyedProcessContext, OnTimerContext, ProcessJoinContext, BroadcastContext,
  ReadOnlyBroadcastContext, KeyedBroadcastContext, KeyedReadOnlyBroadcastContext, KeyedBroadcastOnTimerContext, ProcessWindowContext, WindowFn, TimerService, TimeDomain,
  AsyncFunction, AsyncRetryStrategy, ValueState, ListState, MapState, ReducingState, AggregatingState, BroadcastState, ReadOnlyBroadcastState, OperatorListState,
  CheckpointedFunction, CheckpointListener, StateInitializationContext, StateSnapshotContext, OperatorStateStore,
  WindowOffset, WindowStagger, SlicedWindows, DeltaFunction, SessionGapExtractor, LogSink, WatermarkAlignment, FunctionClass, MillraceErrorInit,
  FileReader, FileStatus, FileWriter, Cancellable,
  WatermarkGenerator, WatermarkOutput, Window, WindowAssigner, Trigger, TriggerContext, TriggerResult, OnMergeContext, Evictor,
  TypeCodec, KeyedStateStore, WindowCodec, WindowAssignerContext, EvictorContext, TimestampedValue, ProcessFunctionSource, RichFunctionSource,
  Source, SourceSplit, SplitEnumerator, SplitEnumeratorContext, SourceReader, SourceReaderContext, ReaderOutput, InputStatus, Boundedness, SnapshotCodec,
  Sink, SinkWriter, SinkWriterContext, SinkWriteContext, StatefulSinkWriter, CommittingSinkWriter, Committer, CommitRequest,
  DeserializationSchema, SerializationSchema, ChangelogRow, BulkFormat, BulkReader, BulkSplit, RecordBlock, BulkWriter, BulkWriterFactory, OneInputOperator, TwoInputOperator, MultipleInputOperator, OperatorContext, OperatorFactory, RecordBatch,
} from "@millrace/core";
