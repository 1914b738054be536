import {
  Configuration, MillraceError,
  type Cancellable, type InternalTimerService, type KeyedStateBackend, type Mailbox, type MetricGroup, type OperatorContext, type Output,
  type ProcessingTimeService, type RuntimeContext, type TimerHandler,
} from "@millrace/core";
import { MetricRegistry, TaskRuntimeContext } from "@millrace/runtime";
import type { HeapKeyedStateBackend, HeapTimerService, OperatorStateBackend } from "@millrace/state";
import { MemoryFileSystem } from "../virtual-time/memory-file-system.js";
import type { VirtualClock } from "../virtual-time/virtual-clock.js";
import type { HarnessOptions } from "./harness-options.js";

/** The context of an operator in a harness: real backends and timers, a manual clock. */
export class HarnessContext implements OperatorContext, ProcessingTimeService {
  readonly jobId = "harness";
  readonly operatorId = "0123456789abcdef0123456789abcdef";
  readonly operatorName: string;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  readonly attemptNumber = 0;
  readonly config: Configuration = Configuration.empty;
  readonly clock: VirtualClock;
  readonly fs: MemoryFileSystem = new MemoryFileSystem();
  readonly registry: MetricRegistry;
  readonly metrics: MetricGroup;
  readonly operatorState: OperatorStateBackend;
  readonly runtimeContext: RuntimeContext;
  readonly mailbox: Mailbox;
  readonly output: Output<unknown>;
  /** In order of opening. */
  readonly timerServices: Map<string, HeapTimerService> = new Map();
  /** Promises given to `suspendUntil` that have not settled. */
  suspensions = 0;
  readonly #keyed: HeapKeyedStateBackend | undefined;
  readonly #random: () => number;
  readonly #fail: (error: unknown) => void;

  constructor(
    options: HarnessOptions, clock: VirtualClock, mailbox: Mailbox, output: Output<unknown>, keyed: HeapKeyedStateBackend | undefined,
    operatorState: OperatorStateBackend, fail: (error: unknown) => void,
  ) {
    this.operatorName = options.operatorName ?? "operator";
    this.subtaskIndex = options.subtaskIndex ?? 0;
    this.parallelism = options.parallelism ?? 1;
    this.maxParallelism = options.maxParallelism ?? 128;
    this.clock = clock;
    this.mailbox = mailbox;
    this.output = output;
    this.operatorState = operatorState;
    this.#keyed = keyed;
    this.#random = options.random ?? (() => 0.5);
    this.#fail = fail;
    this.registry = new MetricRegistry(clock);
    this.metrics = this.registry.group();
    const info = { jobName: "harness", taskName: this.operatorName, jobParameters: options.jobParameters ?? {}, cachedFiles: {}, accumulators: new Map() };
    this.runtimeContext = new TaskRuntimeContext(this, info);
  }

  get processingTime(): ProcessingTimeService {
    return this;
  }
  nowMs(): number {
    return this.clock.nowMs();
  }
  registerTimer(timestampMs: number, action: (timestampMs: number) => void): Cancellable {
    return this.clock.setTimer(timestampMs - this.clock.nowMs(), () => this.mailbox.execute(() => action(timestampMs), "processing-time timer"));
  }
  random(): number {
    return this.#random();
  }
  get isKeyed(): boolean {
    return this.#keyed !== undefined;
  }
  get keyedState(): KeyedStateBackend {
    if (this.#keyed !== undefined) return this.#keyed;
    throw this.#notKeyed("STATE_NOT_KEYED", "keyed state");
  }
  timers(name: string, handler: TimerHandler): InternalTimerService {
    if (this.#keyed === undefined) throw this.#notKeyed("TIMER_NOT_KEYED", "timers");
    const service = this.#keyed.timerService(name, handler, this.output);
    this.timerServices.set(name, service);
    return service;
  }
  suspendUntil(work: Promise<unknown>): void {
    this.suspensions++;
    work.then(
      () => void this.suspensions--,
      (error: unknown) => {
        this.suspensions--;
        this.#fail(error);
      },
    );
  }

  #notKeyed(code: string, what: string): MillraceError {
    return new MillraceError({ code, message: `operator "${this.operatorName}" uses ${what}, but this harness is not keyed`, hint: "use the keyed harness" });
  }
}
