import { keyGroupRange, type KeySelector, type Operator, type OutputTag } from "@millrace/core";
import { createOperator, createSimpleOperator, needsKeyedState, type OperatorInfo } from "@millrace/runtime";
import { OperatorStateBackend, type HeapKeyedStateBackend } from "@millrace/state";
import { VirtualClock } from "../virtual-time/virtual-clock.js";
import { HarnessContext } from "./harness-context.js";
import type { HarnessOperator, HarnessOptions } from "./harness-options.js";
import { HarnessOutput, type HarnessElement, type HarnessRecord } from "./harness-output.js";
import { restoreKeyed, restoreOperatorState, takeSnapshot, type HarnessSnapshot } from "./harness-snapshot.js";

/** One per input; `undefined` for an input without keys. */
export type HarnessKeys = readonly (KeySelector<any, any> | undefined)[];

/**
 * One subtask of one operator, without a cluster: the real operator on the real heap backend, with a manual clock. Feed it elements, watermarks and
 * time; look at its output; snapshot it between any two elements and restore it, also with another parallelism.
 *
 * Use `OneInputHarness`, `TwoInputHarness` and their keyed forms. Everything runs synchronously in the calls; what comes back from promises (async
 * operators) runs between them: `await harness.settle()`. An error of the operator is thrown by the call that caused it, or by the next one.
 */
export abstract class OperatorHarness<OUT> {
  readonly #main: HarnessOutput<OUT> = new HarnessOutput<OUT>();
  readonly #clock: VirtualClock;
  readonly #context: HarnessContext;
  readonly #restored: readonly HarnessSnapshot[];
  readonly #keyed: HeapKeyedStateBackend | undefined;
  readonly #keySelectors: HarnessKeys;
  protected readonly operator: Operator<OUT>;
  #mails: (() => void)[] = [];
  #inCall = false;
  #failure: { readonly error: unknown } | undefined;
  #checkpointId = 0;
  #pendingWatermarkMs: number | undefined;

  protected constructor(operator: HarnessOperator, keys: HarnessKeys, options: HarnessOptions) {
    this.#keySelectors = keys;
    this.#clock = new VirtualClock(options.startTimeMs ?? 0);
    const { restore = [], subtaskIndex = 0, parallelism = 1, maxParallelism = 128 } = options;
    this.#restored = Array.isArray(restore) ? (restore as readonly HarnessSnapshot[]) : [restore as HarnessSnapshot];
    const keyed = keys.some((key) => key !== undefined) || (typeof operator !== "function" && needsKeyedState(operator));
    const backend = { maxParallelism, keyGroupRange: keyGroupRange(maxParallelism, parallelism, subtaskIndex), clock: this.#clock };
    this.#keyed = keyed ? restoreKeyed(backend, this.#restored) : undefined;
    const operatorState = this.#restored.length === 0 ? new OperatorStateBackend() : restoreOperatorState(this.#restored, subtaskIndex, parallelism);
    const mailbox = { execute: (action: () => void) => this.#mail(action) };
    this.#context = new HarnessContext(options, this.#clock, mailbox, this.#main, this.#keyed, operatorState, (error) => void (this.#failure ??= { error }));
    this.operator = makeOperator(operator, this.#context, { runtimeMode: options.runtimeMode ?? "STREAMING", keySelectors: keys }, this.#clock);
  }

  /** Called by the `open` of the subclasses. */
  protected async start(): Promise<this> {
    const context = this.#context;
    const last = this.#restored.at(-1);
    await this.operator.open?.({
      isRestored: last !== undefined,
      restoredCheckpointId: last?.checkpointId,
      operatorState: context.operatorState,
      get keyedState() {
        return context.keyedState;
      },
    });
    this.#checkpointId = last?.checkpointId ?? 0;
    this.#runMails();
    return this;
  }

  /** Records of the main output so far. */
  get output(): HarnessRecord<OUT>[] {
    return this.elements.flatMap((element) => (element.kind === "record" ? [{ value: element.value, timestampMs: element.timestampMs }] : []));
  }

  /** Values of the main output so far. */
  get values(): OUT[] {
    return this.output.map((record) => record.value);
  }

  /** Main output with watermarks and statuses, in order. */
  get elements(): readonly HarnessElement<OUT>[] {
    return this.#main.elements;
  }

  /** {@link output}, forgotten by the harness: what came since the last call. */
  takeOutput(): HarnessRecord<OUT>[] {
    const taken = this.output;
    this.#main.elements = [];
    return taken;
  }

  /** Records of a side output so far. */
  sideOutput<X>(tag: OutputTag<X>): readonly HarnessRecord<X>[] {
    return this.#main.sideOutputOf(tag);
  }

  /** A metric of the operator by name (`numLateRecordsDropped`), or `undefined`. */
  metric(name: string): number | undefined {
    const values: Record<string, number> = {};
    this.#context.registry.read(values);
    return values[name];
  }

  /** The operator asked for no more input for now (`suspendUntil`). The harness takes it all the same. */
  get suspended(): boolean {
    return this.#context.suspensions > 0;
  }

  get processingTimeMs(): number {
    return this.#clock.nowMs();
  }

  /** Number of keys that hold state or timers; 0 without keyed state. */
  get keyCount(): number {
    return this.#keyed?.keyCount ?? 0;
  }

  get eventTimeTimerCount(): number {
    return [...this.#context.timerServices.values()].reduce((sum, service) => sum + service.eventTimeTimerCount, 0);
  }

  get processingTimeTimerCount(): number {
    return [...this.#context.timerServices.values()].reduce((sum, service) => sum + service.processingTimeTimerCount, 0);
  }

  /**
   * Makes the output report that it is blocked once `records` more have been emitted, so that an operator with resumable emissions stops there; call it again,
   * or {@link unblock}, and then {@link resume}.
   */
  blockAfter(records: number): void {
    this.#main.setRoom(records);
  }

  unblock(): void {
    this.#main.setRoom(Number.POSITIVE_INFINITY);
  }

  /** Goes on with a watermark that did not get through; true once it did. */
  resume(): boolean {
    return this.call(() => this.#pendingWatermarkMs === undefined || this.#operatorWatermark(this.#pendingWatermarkMs));
  }

  /** Moves the manual clock, then fires what is due, in order of time. Never back. */
  setProcessingTime(timeMs: number): void {
    this.call(() => this.#clock.moveTo(timeMs));
  }

  /** Lets promises settle and their mails run. */
  async settle(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#rethrow();
  }

  /** Takes a checkpoint's worth of state, as if a barrier had come between two elements. */
  async snapshot(): Promise<HarnessSnapshot> {
    this.#rethrow();
    const checkpointId = ++this.#checkpointId;
    await this.operator.prepareSnapshot?.(checkpointId);
    await this.operator.snapshotState?.({ checkpointId, checkpointTimestampMs: this.#clock.nowMs() });
    return takeSnapshot(checkpointId, this.#keyed, this.#context.operatorState);
  }

  async notifyCheckpointComplete(checkpointId: number): Promise<void> {
    await this.operator.notifyCheckpointComplete?.(checkpointId);
  }

  /** Ends all inputs and lets the operator emit what it has left. Does not send the last watermark: `processWatermark(MAX_WATERMARK)` comes before. */
  async finish(): Promise<void> {
    this.call(() => {
      this.#keySelectors.forEach((_, index) => {
        while (this.operator.endInput?.(index, this.#main) === false);
      });
    });
    await this.operator.finish?.(this.#main);
    this.#rethrow();
  }

  async close(): Promise<void> {
    await this.operator.close?.();
  }

  protected get out(): HarnessOutput<OUT> {
    return this.#main;
  }

  /** Makes the key of a record of an input current. */
  protected setKey(index: number, value: unknown): void {
    const selector = this.#keySelectors[index];
    if (selector !== undefined) this.#keyed!.setCurrentKey(selector(value));
  }

  /** Advances all timers and then the operator; false when it stopped at a blocked output. */
  protected watermark(timestampMs: number): boolean {
    return this.call(() => {
      for (const service of this.#context.timerServices.values()) service.advanceWatermark(timestampMs, () => false);
      return this.#operatorWatermark(timestampMs);
    });
  }

  #operatorWatermark(timestampMs: number): boolean {
    this.#pendingWatermarkMs = timestampMs;
    if (this.operator.processWatermark === undefined) this.#main.emitWatermark(timestampMs);
    else while (this.operator.processWatermark(timestampMs, this.#main) === false) if (this.#main.blocked) return false;
    this.#pendingWatermarkMs = undefined;
    return true;
  }

  /** Runs a call into the operator, then its mails. */
  protected call<R>(action: () => R): R {
    this.#rethrow();
    this.#inCall = true;
    try {
      return action();
    } finally {
      this.#runMails();
      this.#fireDueTimers();
      this.#inCall = false;
    }
  }

  /** Processing-time timers, also those that were registered for the past. */
  #fireDueTimers(): void {
    const nowMs = this.#clock.nowMs();
    while (this.#clock.fireNext(nowMs)) this.#runMails();
    for (const service of this.#context.timerServices.values()) service.advanceProcessingTime(nowMs, () => false);
  }

  #mail(action: () => void): void {
    this.#mails.push(action);
    if (this.#inCall) return;
    try {
      this.#runMails();
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #runMails(): void {
    for (let mail = this.#mails.shift(); mail !== undefined; mail = this.#mails.shift()) mail();
  }

  #rethrow(): void {
    if (this.#failure === undefined) return;
    const { error } = this.#failure;
    this.#failure = undefined;
    throw error;
  }
}

function makeOperator(operator: HarnessOperator, context: HarnessContext, info: OperatorInfo, clock: VirtualClock): Operator<any> {
  if (typeof operator === "function") return operator(context);
  if (operator.type === "map" || operator.type === "filter" || operator.type === "flatMap" || operator.type === "timestamps") {
    return createSimpleOperator(operator, context, { activeMs: () => clock.nowMs() });
  }
  return createOperator(operator, context, info);
}
