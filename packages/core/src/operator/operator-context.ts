import type { Configuration } from "../config/configuration.js";
import type { Clock, Cancellable } from "../env/clock.js";
import type { FileSystem } from "../env/file-system.js";
import type { RuntimeContext } from "../functions/runtime-context.js";
import type { MetricGroup } from "../metrics/metrics.js";
import type { Output } from "../record/collector.js";
import type { KeyedStateBackend } from "../state/keyed-state-store.js";
import type { OperatorStateStore } from "../state/operator-state.js";

/** What an operator may use of the task it runs in. Only valid on the task's thread. */
export interface OperatorContext {
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
  random(): number;
  /** Keyed state of this operator. @throws `STATE_NOT_KEYED` when its inputs are not keyed. */
  readonly keyedState: KeyedStateBackend;
  readonly isKeyed: boolean;
  readonly operatorState: OperatorStateStore;
  /** The context handed to user functions. */
  readonly runtimeContext: RuntimeContext;
  /** Opens the named timer service of this operator; its timers are part of the keyed state. @throws `TIMER_NOT_KEYED` when not keyed. */
  timers(name: string, handler: TimerHandler): InternalTimerService;
  readonly processingTime: ProcessingTimeService;
  readonly mailbox: Mailbox;
  /** The task takes no more input until `work` has settled; a rejection fails the task. Records already in the operator's hands stay its business. */
  suspendUntil(work: Promise<unknown>): void;
  /** Where the operator's output goes, for emissions outside of `process*` calls (mails, processing-time timers). */
  readonly output: Output<unknown>;
}

/** Called with the state backend's current key set to the timer's key. */
export interface TimerHandler {
  onEventTime(timestampMs: number, namespace: string, out: Output<unknown>): void;
  onProcessingTime(timestampMs: number, namespace: string, out: Output<unknown>): void;
}

/** Timers per (key, namespace, time), coalesced, ordered by time; fire with their key as current key. Flink: InternalTimerService. */
export interface InternalTimerService {
  readonly currentWatermark: number;
  currentProcessingTime(): number;
  registerEventTimeTimer(namespace: string, timestampMs: number): void;
  deleteEventTimeTimer(namespace: string, timestampMs: number): void;
  registerProcessingTimeTimer(namespace: string, timestampMs: number): void;
  deleteProcessingTimeTimer(namespace: string, timestampMs: number): void;
  /** Calls `visit` for each event-time timer, with its key as current key. */
  forEachEventTimeTimer(visit: (namespace: string, timestampMs: number) => void): void;
}

/** Processing time as operators see it: the callbacks run as mails, between records. */
export interface ProcessingTimeService {
  nowMs(): number;
  /** Calls `action` on the task's thread at `timestampMs` or soon after. Not part of any state. */
  registerTimer(timestampMs: number, action: (timestampMs: number) => void): Cancellable;
}

/** Runs actions on the task's thread between batches, in order. The only way for promises and callbacks to get back into a task. */
export interface Mailbox {
  execute(action: () => void, description: string): void;
}
