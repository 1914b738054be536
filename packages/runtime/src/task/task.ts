import { MillraceError, accumulatorValue, serializeError, type Accumulator, type Cancellable } from "@millrace/core";
import type { ExecutionState } from "@millrace/graph";
import { locateInTask } from "../chain/task-error.js";
import { EndOfChannel, EndOfInput, type Barrier } from "../exchange/channel-element.js";
import type { Alignment } from "../input/barrier-aligner.js";
import type { OutputPressure } from "../exchange/output-channel.js";
import { TimeAccounts } from "../metrics/time-accounts.js";
import type { CoordinatorToOperator, SlotEvent } from "../protocol/messages.js";
import type { SourceOperator } from "../source/source-operator.js";
import type { TaskDeployment } from "../protocol/deployment.js";
import type { Activity } from "./activity.js";
import { TaskCheckpoints, type CheckpointHost } from "./task-checkpoints.js";
import { TaskMailbox } from "./task-mailbox.js";
import { TaskStop } from "./task-stop.js";
import { KeyedProcessingTimers, TaskProcessingTime } from "./task-timers.js";
import { taskMetrics } from "./task-metrics.js";
import type { TaskParts, TaskSetting } from "./task-setting.js";
import { Turn } from "./turn.js";

/** How long a task goes on before the others of its slot have their turn. */
const TURN_MS = 1;

/**
 * One subtask: operators, inputs, outputs, and the order of what happens in it.
 *
 * The slot calls `step` on its thread while there is work; everything else that reaches the task (channels, promises, timers, commands) only leaves
 * something to do and wakes it. DEPLOYING → INITIALIZING → RUNNING → FINISHED, or FAILED or CANCELED from any of them.
 */
export class Task {
  readonly deployment: TaskDeployment;
  /** For log lines: `name (2/4)`. */
  readonly label: string;
  entry: import("../slot/task-entry.js").TaskEntry | undefined;
  readonly mailbox: TaskMailbox;
  readonly processingTime: TaskProcessingTime;
  readonly accounts: TimeAccounts;
  readonly accumulators: Map<string, Accumulator<any, any>> = new Map();
  /** Counted by the slot: is the task in its queue? */
  scheduled = false;
  /** Counted by the slot: does the task wait to be flushed? */
  unflushed = false;
  readonly #setting: TaskSetting;
  readonly #turn: Turn;
  readonly #activities: Pending[] = [];
  readonly #keyedTimers: KeyedProcessingTimers;
  #state: ExecutionState = "DEPLOYING";
  #parts: TaskParts | undefined;
  #checkpoints: TaskCheckpoints | undefined;
  /** The current activity waits for a promise. */
  #awaiting = false;
  /** What it waits for while operators are opened: closing them must not overtake it. */
  #opening: Promise<unknown> | undefined;
  /** What the promise of the current activity brought. */
  #settlement: { readonly value: unknown } | { readonly error: unknown } | undefined;
  #suspensions = 0;
  #mayRun = false;
  #opened = false;
  /** The end of input is through all operators; only commits are left. */
  #drained = false;
  readonly #stop = new TaskStop();
  #endsLeft = 0;
  #finishing = false;
  /** Asked to end behind a savepoint: what came after that, such as a split, must not come before it. */
  #draining = false;
  #closing = false;
  #closeTimer: Cancellable | undefined;
  #lastFlushMs = 0;
  #failure: MillraceError | undefined;
  /** Events for operators that are not open yet. */
  readonly #earlyEvents: { readonly operatorId: string; readonly event: CoordinatorToOperator }[] = [];

  constructor(deployment: TaskDeployment, setting: TaskSetting, pressure: OutputPressure) {
    this.deployment = deployment;
    this.#setting = setting;
    const { clock } = setting.env;
    this.label = `${setting.vertex.name} (${deployment.attempt.subtaskIndex + 1}/${setting.vertex.parallelism})`;
    this.mailbox = new TaskMailbox(() => this.wake());
    this.processingTime = new TaskProcessingTime(clock, this.mailbox);
    this.accounts = new TimeAccounts(clock.monotonicMs());
    this.#turn = new Turn(clock, pressure);
    pressure.onFree = () => this.wake();
    this.#keyedTimers = new KeyedProcessingTimers(clock, () => this.#parts?.chain.timerServices() ?? [], () => this.wake());
  }

  get state(): ExecutionState {
    return this.#state;
  }

  get over(): boolean {
    return this.#state === "FINISHED" || this.#state === "FAILED" || this.#state === "CANCELED";
  }

  get turn(): Turn {
    return this.#turn;
  }

  wake(): void {
    this.#setting.wake(this);
  }

  /** Begins: the activity makes the parts (reading restored state first) and opens the operators. */
  start(build: (adopt: (parts: TaskParts) => void) => Activity): void {
    this.#transition("INITIALIZING");
    this.#begin(this.#initialize(build));
  }

  /** The job runs: input may be read. */
  run(): void {
    this.#mayRun = true;
    this.wake();
  }

  triggerCheckpoint(barrier: Barrier): void {
    this.#parts?.input.triggerCheckpoint(barrier);
  }

  /** @param alignment of its barriers; none for a task whose input is made here */
  checkpoint(barrier: Barrier, alignment?: Alignment): void {
    // What is drained must find room; a snapshot needs none.
    this.#draining ||= barrier.options.stop === "drain";
    this.#begin(this.#takeCheckpoint(barrier, alignment), this.#draining);
  }

  checkpointAbandoned(checkpointId: number, reason: string): void {
    this.#checkpoints?.aborted(checkpointId);
    this.#decline(checkpointId, new MillraceError({ code: "CHECKPOINT_SUBSUMED", recovery: "retry", message: `checkpoint ${checkpointId} was given up by ${this.label}: ${reason}` }));
  }

  checkpointComplete(checkpointId: number): void {
    if (this.#parts === undefined || !this.#opened) return;
    this.#parts.chain.checkpointEnded(checkpointId, true);
    this.#begin(this.#checkpointEnded(checkpointId, true), false);
  }

  checkpointAborted(checkpointId: number): void {
    if (this.#parts === undefined || !this.#opened) return;
    this.#parts.input.checkpointAborted(checkpointId);
    this.#checkpoints!.aborted(checkpointId);
    this.#parts.chain.checkpointEnded(checkpointId, false);
    this.#begin(this.#checkpointEnded(checkpointId, false), false);
  }

  hasOperator(operatorId: string): boolean {
    return this.#setting.vertex.operators.some(({ id }) => id === operatorId);
  }

  operatorEvent(operatorId: string, event: CoordinatorToOperator): void {
    if (this.over) return;
    if (this.#parts === undefined) {
      this.#earlyEvents.push({ operatorId, event });
      return;
    }
    const source = this.#parts.source;
    if (source === undefined) return;
    // In order with checkpoints: a split that came after a trigger is still the coordinator's in that checkpoint, and must not be in the reader's state, too.
    this.#begin(handleEvent(source, event), false);
  }

  inputEnded(index: number): void {
    this.#begin(this.#parts!.chain.endInput(index));
    if (--this.#endsLeft === 0) this.#beginFinish();
  }

  suspendUntil(work: Promise<unknown>): void {
    this.#suspensions++;
    const resume = (): void => {
      this.#suspensions--;
      this.wake();
    };
    work.then(resume, (error: unknown) => this.fail(error));
  }

  /** Takes the task down because of an error; also from outside of `step`. */
  fail(thrown: unknown): void {
    // What goes wrong while a task is being cancelled is of no interest to anybody.
    if (this.over || this.#failure !== undefined || this.#state === "CANCELING") return;
    this.#failure = locateInTask(thrown, this.#setting.vertex, this.deployment.attempt.subtaskIndex, this.#parts?.sources);
    this.#shutDown();
  }

  cancel(): void {
    // One that is closing already comes to its end by itself.
    if (this.over || this.#state === "CANCELING" || (this.#closing && this.#failure === undefined)) return;
    this.#transition("CANCELING");
    if (this.#failure === undefined) this.#shutDown();
  }

  /** Does some of what there is to do. @returns whether there is more to do at once. */
  step(): boolean {
    if (this.over) return false;
    const { clock } = this.#setting.env;
    const started = clock.monotonicMs();
    this.#turn.begin(started + TURN_MS);
    try {
      return this.#advance();
    } catch (error) {
      this.fail(error);
      return !this.over;
    } finally {
      this.accounts.busyMs += clock.monotonicMs() - started;
    }
  }

  metrics(): Record<string, number> {
    return taskMetrics(this.#parts, this.accounts, this.#setting.env.clock.monotonicMs(), this.#checkpoints?.alignmentMs ?? 0);
  }

  get lastCheckpointId(): number {
    return this.#checkpoints?.lastCheckpointId ?? 0;
  }

  reportMetrics(): void {
    if (this.#parts === undefined) return;
    this.#send({ type: "metrics", values: this.metrics() });
    if (this.accumulators.size === 0) return;
    this.#send({ type: "accumulators", values: Object.fromEntries([...this.accumulators].map(([name, accumulator]) => [name, accumulatorValue(accumulator)])) });
  }

  #advance(): boolean {
    this.mailbox.drain();
    if (this.over) return false;
    if (!this.#drive()) return this.mailbox.hasMail;
    if (this.#suspensions > 0) {
      this.#idleFlush();
      return this.mailbox.hasMail;
    }
    if (this.#checkpoints?.encoding === true) this.#checkpoints.step();
    if (this.#state !== "RUNNING") return this.#mayStart();
    if (this.#drained || this.#stop.suspends) return this.#tryToComplete();
    return this.#process();
  }

  #process(): boolean {
    const { clock } = this.#setting.env;
    if (this.#turn.blocked) {
      this.accounts.startBackpressure(clock.monotonicMs());
      return this.#checkpoints!.encoding || this.mailbox.hasMail;
    }
    this.accounts.endBackpressure(clock.monotonicMs());
    if (this.#keyedTimers.due && !this.#keyedTimers.fire(this.#turn.interrupted)) return !this.#turn.blocked;
    const progress = this.#finishing ? "ended" : this.#parts!.input.process(this.#interrupt);
    this.#keyedTimers.rearm();
    if (progress === "ended" && !this.#finishing) this.#beginFinish();
    if (progress === "waiting") this.#setting.flushWhenIdle(this);
    else this.#timedFlush();
    if (this.#turn.blocked) this.accounts.startBackpressure(clock.monotonicMs());
    if (progress === "more") return !this.#turn.blocked && this.#suspensions === 0;
    return this.#activities.length > 0 || this.mailbox.hasMail || this.#checkpoints!.encoding;
  }

  /** Stops input between chunks when something else must come first. */
  readonly #interrupt = (): boolean => this.#suspensions > 0 || this.#activities.length > 0 || this.#state !== "RUNNING";

  /** Drives activities. @returns false while one of them has to wait. */
  #drive(): boolean {
    while (this.#activities.length > 0) {
      const pending = this.#activities[0]!;
      if (this.#awaiting || !this.#mayDrive(pending)) {
        this.#idleFlush();
        return false;
      }
      const { activity } = pending;
      pending.started = true;
      const settlement = this.#settlement;
      this.#settlement = undefined;
      const result = settlement !== undefined && "error" in settlement ? activity.throw(settlement.error) : activity.next(settlement?.value);
      if (result.done === true) this.#activities.shift();
      else if (result.value === undefined) {
        if (this.#turn.over) {
          this.wake();
          return false;
        }
      } else this.#await(pending, result.value);
    }
    return true;
  }

  /** Activities wait for work that an operator asked to wait for, and for room if they emit records. Closing does not. */
  #mayDrive({ emits }: Pending): boolean {
    return this.#failure !== undefined || this.#state === "CANCELING" || (this.#suspensions === 0 && !(emits && this.#turn.blocked));
  }

  #await(activity: Pending, promise: Promise<unknown>): void {
    this.#awaiting = true;
    this.#opening = this.#opened ? undefined : promise;
    const settle = (settlement: { readonly value: unknown } | { readonly error: unknown }): void => {
      // The activity was dropped: the task was cancelled or failed meanwhile.
      if (this.#activities[0] !== activity) return;
      this.#awaiting = false;
      this.#settlement = settlement;
      this.wake();
    };
    promise.then((value) => settle({ value }), (error: unknown) => settle({ error }));
  }

  /** @param emits it may emit many records. What may not goes on under back-pressure. */
  #begin(activity: Activity, emits = true): void {
    if (this.over) return;
    const pending = { activity, emits, started: false };
    // What needs no room, such as an unaligned checkpoint, must not wait with what does.
    const at = emits || this.#draining || this.#state !== "RUNNING" || this.#failure !== undefined ? -1 : this.#activities.findIndex((other) => other.emits && !other.started);
    this.#activities.splice(at < 0 ? this.#activities.length : at, 0, pending);
    this.wake();
  }

  *#initialize(build: (adopt: (parts: TaskParts) => void) => Activity): Activity {
    const { restore } = this.deployment;
    yield* build((parts) => {
      this.#parts = parts;
      this.#endsLeft = parts.inputs;
      this.#checkpoints = new TaskCheckpoints(this.#checkpointHost(), parts.chain, restore?.checkpointId ?? 0);
    });
    const parts = this.#parts!;
    for (const { event } of this.#earlyEvents.splice(0)) parts.source?.handleEvent(event);
    yield* parts.chain.open(restore?.checkpointId);
    this.#opened = true;
    this.#lastFlushMs = this.#setting.env.clock.monotonicMs();
  }

  #mayStart(): boolean {
    if (this.#state !== "INITIALIZING" || !this.#opened || !this.#mayRun) return false;
    this.#transition("RUNNING");
    this.#parts!.source?.start();
    this.#keyedTimers.rearm();
    return true;
  }

  #beginFinish(): void {
    this.#finishing = true;
    this.#begin(this.#finish());
  }

  *#finish(): Activity {
    const { chain, input } = this.#parts!;
    yield* chain.finish();
    chain.sendEvent(EndOfInput.instance);
    this.#drained = true;
    if (chain.hasUncommitted || !input.closed) this.#send({ type: "finalCheckpointNeeded", hasUncommitted: chain.hasUncommitted });
  }

  *#takeCheckpoint(barrier: Barrier, alignment: Alignment | undefined): Activity {
    const { input } = this.#parts!;
    const { stop } = barrier.options;
    if (stop === "drain" && input.endNow !== undefined && !this.#finishing) {
      input.endNow();
      this.#finishing = true;
      yield* this.#finish();
    }
    yield* this.#checkpoints!.take(barrier, alignment);
    if (stop === undefined) return;
    this.#stop.begin(barrier.checkpointId, stop);
    if (stop === "drain") return;
    input.suspend?.();
    this.mailbox.held = true;
  }

  *#checkpointEnded(checkpointId: number, complete: boolean): Activity {
    const { chain, input } = this.#parts!;
    yield* complete ? chain.notifyComplete(checkpointId) : chain.notifyAborted(checkpointId);
    if (!this.#stop.ended(checkpointId, complete)) return;
    this.mailbox.held = false;
    input.resume?.();
    this.wake();
  }

  /** All records are through: takes part in checkpoints until everything is committed and those before have finished, then closes. */
  #tryToComplete(): boolean {
    const { chain, input } = this.#parts!;
    const progress = input.process(this.#interrupt);
    if (this.#activities.length > 0) return true;
    // Whoever may be overtaken waits until all records have left: a checkpoint without this task would have to wait for them.
    const busy = this.#stop.isUndecided || chain.hasUncommitted || this.#checkpoints!.busy || (this.#turn.blocked && chain.overtakable);
    if (!input.closed || busy) return (progress === "more" && !this.#turn.blocked) || this.#checkpoints!.encoding;
    if (this.#closing) return false;
    this.#closing = true;
    this.#begin(this.#complete());
    return true;
  }

  *#complete(): Activity {
    const errors: unknown[] = [];
    yield* this.#parts!.chain.close((error) => errors.push(error));
    if (errors.length > 0) throw errors[0];
    this.#parts!.chain.sendEvent(EndOfChannel.instance);
    this.reportMetrics();
    this.#release();
    this.#transition("FINISHED");
  }

  /** Drops everything under way, closes the operators, and reports FAILED or CANCELED. */
  #shutDown(): void {
    this.#activities.length = 0;
    this.#awaiting = false;
    this.#settlement = undefined;
    this.mailbox.close();
    this.processingTime.cancelAll();
    this.#keyedTimers.cancel();
    this.#checkpoints?.abortAll();
    this.#parts?.input.discard();
    this.#begin(this.#closeAfterShutDown());
    if (this.#failure === undefined) return;
    // Somebody waits to restart the job: a close that hangs must not keep the failure from it. A cancelled task is watched from outside.
    const { clock } = this.#setting.env;
    this.#closeTimer = clock.setTimer(this.#setting.cancellationTimeoutMs, () => {
      this.#activities.length = 0;
      this.#endShutDown();
    });
  }

  *#closeAfterShutDown(): Activity {
    const report = (error: unknown): void => this.#setting.log("warn", `${this.label}: close failed: ${String(error)}`);
    // What an operator is about to open would stay open otherwise.
    if (this.#opening !== undefined) yield this.#opening.catch(() => undefined);
    if (this.#parts !== undefined && !this.#closing) {
      this.#closing = true;
      yield* this.#parts.chain.close(report);
    }
    this.#endShutDown();
  }

  #endShutDown(): void {
    if (this.over) return;
    this.reportMetrics();
    this.#release();
    if (this.#failure !== undefined) this.#transition("FAILED", this.#failure);
    else this.#transition("CANCELED");
  }

  #release(): void {
    this.#closeTimer?.cancel();
    this.#activities.length = 0;
    this.mailbox.close();
    this.processingTime.cancelAll();
    this.#keyedTimers.cancel();
  }

  /** The slot has nothing else to do: sends what is in the buffers. */
  flushIdle(): void {
    try {
      if (!this.over) this.#idleFlush();
    } catch (error) {
      this.fail(error);
    }
  }

  #idleFlush(): void {
    this.#parts?.chain.flush(true);
    this.#lastFlushMs = this.#setting.env.clock.monotonicMs();
  }

  #timedFlush(): void {
    const { bufferTimeoutMs } = this.#setting.vertex;
    if (bufferTimeoutMs < 0) return;
    const now = this.#setting.env.clock.monotonicMs();
    if (now - this.#lastFlushMs < bufferTimeoutMs) return;
    this.#lastFlushMs = now;
    this.#parts?.chain.flush(false);
  }

  #checkpointHost(): CheckpointHost {
    const { env, job } = this.#setting;
    const { attempt } = this.deployment;
    return {
      clock: env.clock, fs: env.fs, mailbox: this.mailbox,
      recordInFlight: (checkpointId, data) => this.#parts!.input.recordInFlight!(checkpointId, data),
      checkpointDirectory: job.checkpointDirectory,
      fileName: `${attempt.vertexId}-${attempt.subtaskIndex}-${attempt.attemptNumber}`,
      acknowledge: (checkpointId, state, metrics) => this.#send({ type: "acknowledgeCheckpoint", checkpointId, state, metrics }),
      decline: (checkpointId, error) => this.#decline(checkpointId, error),
      wake: () => this.wake(),
    };
  }

  #decline(checkpointId: number, error: unknown): void {
    this.#send({ type: "declineCheckpoint", checkpointId, error: serializeError(error) });
  }

  #transition(state: ExecutionState, error?: MillraceError): void {
    this.#state = state;
    this.#send({ type: "taskState", state, ...(error === undefined ? {} : { error: serializeError(error) }) });
    if (this.over) this.#setting.ended(this);
  }

  #send(event: TaskEvent): void {
    this.#setting.send({ ...event, epoch: this.#setting.epoch, attempt: this.deployment.attempt } as SlotEvent);
  }
}

interface Pending {
  readonly activity: Activity;
  readonly emits: boolean;
  started: boolean;
}

function* handleEvent(source: SourceOperator, event: CoordinatorToOperator): Activity {
  source.handleEvent(event);
}

/** A slot event of a task, without what all of them carry. */
type TaskEvent = SlotEvent extends infer E ? (E extends { readonly attempt: unknown; readonly epoch: number } ? Omit<E, "attempt" | "epoch"> : never) : never;
