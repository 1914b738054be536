import { NO_TIMESTAMP, type KeySelector, type OneInputOperator } from "@millrace/core";
import type { HarnessOperator, HarnessOptions } from "./harness-options.js";
import { OperatorHarness } from "./operator-harness.js";

/**
 * Runs an operator with one input.
 *
 * ```ts
 * const harness = await OneInputHarness.open<number, number>({ type: "map", fn: (x: number) => x * 2 });
 * harness.processElement(21);
 * assert.deepEqual(harness.values, [42]);
 * ```
 */
export class OneInputHarness<IN, OUT> extends OperatorHarness<OUT> {
  protected constructor(operator: HarnessOperator, key: KeySelector<IN, any> | undefined, options: HarnessOptions) {
    super(operator, [key], options);
  }

  /** Makes the operator, restores and opens it. */
  static open<IN, OUT>(operator: HarnessOperator, options: HarnessOptions = {}): Promise<OneInputHarness<IN, OUT>> {
    return new OneInputHarness<IN, OUT>(operator, undefined, options).start();
  }

  processElement(value: IN, timestampMs: number = NO_TIMESTAMP): void {
    this.call(() => {
      this.setKey(0, value);
      (this.operator as OneInputOperator<IN, OUT>).processRecord(value, timestampMs, this.out);
    });
  }

  /** Fires due event-time timers, then hands the watermark to the operator. False when the operator paused at a blocked output: see `resume`. */
  processWatermark(timestampMs: number): boolean {
    return this.watermark(timestampMs);
  }

  processStatus(idle: boolean): void {
    this.call(() => (this.operator.processStatus === undefined ? this.out.emitStatus(idle) : this.operator.processStatus(idle, this.out)));
  }
}

/** How the records of a keyed harness are keyed. */
export interface KeyedHarnessOptions<IN> extends HarnessOptions {
  readonly key: KeySelector<IN, any>;
}

/**
 * Runs a keyed operator with one input: state and timers per key.
 *
 * ```ts
 * const harness = await KeyedOneInputHarness.open<Event, Alert>({ type: "keyedProcess", fn: Detector }, { key: (event) => event.user });
 * harness.processElement({ user: "a", amount: 900 }, 10);
 * const snapshot = await harness.snapshot();
 * const restored = await KeyedOneInputHarness.open<Event, Alert>({ type: "keyedProcess", fn: Detector }, { key: (event) => event.user, restore: snapshot });
 * restored.processWatermark(60_000);
 * ```
 */
export class KeyedOneInputHarness<IN, OUT> extends OneInputHarness<IN, OUT> {
  static override open<IN, OUT>(operator: HarnessOperator, options: KeyedHarnessOptions<IN>): Promise<KeyedOneInputHarness<IN, OUT>> {
    return new KeyedOneInputHarness<IN, OUT>(operator, options.key, options).start();
  }
}
