import { MillraceError } from "@millrace/core";
import type {
  Clock, Configuration, FileSystem, InternalTimerService, KeyedStateBackend, Mailbox, MetricGroup, OperatorContext, OperatorStateStore, Output,
  ProcessingTimeService, RuntimeContext, TimerHandler,
} from "@millrace/core";
import type { HeapKeyedStateBackend, OperatorStateBackend } from "@millrace/state";
import type { ChainNode } from "../chain/chain-node.js";
import { TaskRuntimeContext, type RuntimeContextInfo } from "./runtime-context.js";

/** The parts of a task that its operators' contexts share. */
export interface TaskFacilities {
  readonly jobId: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly attemptNumber: number;
  readonly config: Configuration;
  readonly clock: Clock;
  readonly fs: FileSystem;
  readonly processingTime: ProcessingTimeService;
  readonly mailbox: Mailbox;
  readonly info: RuntimeContextInfo;
  random(): number;
  suspendUntil(work: Promise<unknown>): void;
}

/** What one operator of a running task may use. */
export class TaskOperatorContext implements OperatorContext {
  readonly jobId: string;
  readonly operatorId: string;
  readonly operatorName: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly attemptNumber: number;
  readonly config: Configuration;
  readonly metrics: MetricGroup;
  readonly clock: Clock;
  readonly fs: FileSystem;
  readonly operatorState: OperatorStateStore;
  readonly processingTime: ProcessingTimeService;
  readonly mailbox: Mailbox;
  readonly runtimeContext: RuntimeContext;
  readonly #node: ChainNode;
  readonly #facilities: TaskFacilities;
  readonly #keyed: HeapKeyedStateBackend | undefined;

  constructor(
    node: ChainNode, facilities: TaskFacilities, metrics: MetricGroup, keyed: HeapKeyedStateBackend | undefined, operatorState: OperatorStateBackend,
  ) {
    this.#node = node;
    this.#facilities = facilities;
    this.#keyed = keyed;
    this.jobId = facilities.jobId;
    this.operatorId = node.plan.id;
    this.operatorName = node.name;
    this.subtaskIndex = facilities.subtaskIndex;
    this.parallelism = facilities.parallelism;
    this.maxParallelism = facilities.maxParallelism;
    this.attemptNumber = facilities.attemptNumber;
    this.config = facilities.config;
    this.metrics = metrics;
    this.clock = facilities.clock;
    this.fs = facilities.fs;
    this.operatorState = operatorState;
    this.processingTime = facilities.processingTime;
    this.mailbox = facilities.mailbox;
    this.runtimeContext = new TaskRuntimeContext(this, facilities.info);
  }

  random(): number {
    return this.#facilities.random();
  }

  get isKeyed(): boolean {
    return this.#keyed !== undefined;
  }

  get keyedState(): KeyedStateBackend {
    if (this.#keyed !== undefined) return this.#keyed;
    throw new MillraceError({
      code: "STATE_NOT_KEYED",
      message: `operator "${this.operatorName}" uses keyed state, but its input is not keyed`,
      hint: "call keyBy before it, or use operator state",
      location: { operator: this.operatorName },
    });
  }

  timers(name: string, handler: TimerHandler): InternalTimerService {
    if (this.#keyed === undefined) {
      throw new MillraceError({
        code: "TIMER_NOT_KEYED",
        message: `operator "${this.operatorName}" sets timers, but its input is not keyed`,
        hint: "call keyBy before it",
        location: { operator: this.operatorName },
      });
    }
    const service = this.#keyed.timerService(name, handler, this.#node.output);
    this.#node.timerServices.set(name, service);
    return service;
  }

  suspendUntil(work: Promise<unknown>): void {
    this.#facilities.suspendUntil(work);
  }

  get output(): Output<unknown> {
    return this.#node.output;
  }
}
