import { MillraceError } from "@millrace/core";
import type {
  Accumulator, AggregatingState, AggregatingStateDescriptor, KeyedStateStore, ListState, ListStateDescriptor, MapState, MapStateDescriptor, MetricGroup,
  OperatorContext, ReducingState, ReducingStateDescriptor, RuntimeContext, ValueState, ValueStateDescriptor,
} from "@millrace/core";

/** What a runtime context knows of its job and task, beyond the operator's context. */
export interface RuntimeContextInfo {
  readonly jobName: string;
  readonly taskName: string;
  readonly jobParameters: Readonly<Record<string, string>>;
  readonly cachedFiles: Readonly<Record<string, string>>;
  /** Accumulators of the task by name. */
  readonly accumulators: Map<string, Accumulator<any, any>>;
}

/** The context handed to user functions. */
export class TaskRuntimeContext implements RuntimeContext {
  readonly #operator: OperatorContext;
  readonly #info: RuntimeContextInfo;

  constructor(operator: OperatorContext, info: RuntimeContextInfo) {
    this.#operator = operator;
    this.#info = info;
  }

  get jobId(): string {
    return this.#operator.jobId;
  }
  get jobName(): string {
    return this.#info.jobName;
  }
  get taskName(): string {
    return this.#info.taskName;
  }
  get operatorName(): string {
    return this.#operator.operatorName;
  }
  get subtaskIndex(): number {
    return this.#operator.subtaskIndex;
  }
  get parallelism(): number {
    return this.#operator.parallelism;
  }
  get maxParallelism(): number {
    return this.#operator.maxParallelism;
  }
  get attemptNumber(): number {
    return this.#operator.attemptNumber;
  }
  get metrics(): MetricGroup {
    return this.#operator.metrics;
  }
  get jobParameters(): Readonly<Record<string, string>> {
    return this.#info.jobParameters;
  }

  addAccumulator<A extends Accumulator<any, any>>(name: string, accumulator: A): A {
    const { accumulators } = this.#info;
    if (accumulators.has(name) && accumulators.get(name) !== accumulator) {
      throw new MillraceError({ code: "ACCUMULATOR_EXISTS", message: `there is another accumulator "${name}" in this task`, hint: "give it a name of its own" });
    }
    accumulators.set(name, accumulator);
    return accumulator;
  }

  cachedFile(name: string): string {
    const path = this.#info.cachedFiles[name];
    if (path !== undefined) return path;
    throw new MillraceError({
      code: "CACHED_FILE_UNKNOWN",
      message: `no cached file is registered as "${name}"`,
      hint: `register it with env.registerCachedFile(path, "${name}")`,
    });
  }

  random(): number {
    return this.#operator.random();
  }

  getState<T>(descriptor: ValueStateDescriptor<T>): ValueState<T> {
    return this.#state.getState(descriptor);
  }
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
    return this.#state.getListState(descriptor);
  }
  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V> {
    return this.#state.getMapState(descriptor);
  }
  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T> {
    return this.#state.getReducingState(descriptor);
  }
  getAggregatingState<IN, ACC, OUT>(descriptor: AggregatingStateDescriptor<IN, ACC, OUT>): AggregatingState<IN, OUT> {
    return this.#state.getAggregatingState(descriptor);
  }

  get #state(): KeyedStateStore {
    return this.#operator.keyedState;
  }
}
