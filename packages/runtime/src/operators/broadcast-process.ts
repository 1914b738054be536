import type {
  BroadcastContext, BroadcastProcessFunction, BroadcastState, MapStateDescriptor, OperatorContext, Output, OutputTag, ReadOnlyBroadcastContext,
  ReadOnlyBroadcastState, StateInitializationContext, TimerService, TwoInputOperator,
} from "@millrace/core";
import { NO_TIMESTAMP } from "@millrace/core";
import type { BroadcastProcessSpec } from "@millrace/graph";
import { BroadcastStates } from "./broadcast-states.js";
import { TimerlessService } from "./element-context.js";
import { TimestampedCollector } from "./timestamped-collector.js";
import { instantiate, refusePromise } from "./user-function.js";
import { WatermarkOperator } from "./watermark-operator.js";

/** Time, side outputs and broadcast states as both sides of a broadcast function see them; reused for every element. */
abstract class SideContext {
  timestampMs: number = NO_TIMESTAMP;
  out: Output<unknown> | undefined;
  states: BroadcastStates | undefined;
  readonly timerService: TimerService;

  constructor(timerService: TimerService) {
    this.timerService = timerService;
  }
  get timestamp(): number | undefined {
    return this.timestampMs === NO_TIMESTAMP ? undefined : this.timestampMs;
  }
  output<X>(tag: OutputTag<X>, value: X): void {
    this.out!.sideOutput(tag, value, this.timestampMs);
  }
}

export class ReadingSide extends SideContext implements ReadOnlyBroadcastContext {
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): ReadOnlyBroadcastState<K, V> {
    return this.states!.readOnly(descriptor);
  }
}

export class WritingSide extends SideContext implements BroadcastContext {
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V> {
    return this.states!.writable(descriptor);
  }
}

/** Runs a BroadcastProcessFunction: input 0 reads the broadcast states, input 1 (the same on every subtask) writes them. */
export class BroadcastProcess extends WatermarkOperator implements TwoInputOperator {
  private readonly fn: BroadcastProcessFunction<unknown, unknown, unknown>;
  private readonly descriptors: readonly MapStateDescriptor<any, any>[];
  private readonly reading: ReadingSide;
  private readonly writing: WritingSide;
  private readonly collector: TimestampedCollector = new TimestampedCollector();

  constructor(spec: BroadcastProcessSpec, context: OperatorContext) {
    const fn = instantiate<BroadcastProcessFunction<unknown, unknown, unknown>>(spec.fn, context.operatorName, ["processElement", "processBroadcastElement"]);
    super(context, fn);
    this.fn = fn;
    this.descriptors = spec.descriptors;
    const time = new TimerlessService(context, () => this.currentWatermarkMs);
    this.reading = new ReadingSide(time);
    this.writing = new WritingSide(time);
  }

  protected override setup(_context: StateInitializationContext): void {
    this.reading.states = this.writing.states = new BroadcastStates(this.descriptors, this.context);
  }

  processRecord1(value: unknown, timestampMs: number, out: Output<unknown>): void {
    this.reading.timestampMs = timestampMs;
    this.reading.out = out;
    const result: unknown = this.fn.processElement(value, this.reading, this.collector.at(timestampMs, out));
    if (result !== undefined) refusePromise(result, this.context.operatorName);
  }

  processRecord2(value: unknown, timestampMs: number, out: Output<unknown>): void {
    this.writing.timestampMs = timestampMs;
    this.writing.out = out;
    const result: unknown = this.fn.processBroadcastElement(value, this.writing, this.collector.at(timestampMs, out));
    if (result !== undefined) refusePromise(result, this.context.operatorName);
  }
}
