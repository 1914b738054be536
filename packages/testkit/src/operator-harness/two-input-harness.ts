import { MIN_WATERMARK, NO_TIMESTAMP, type KeySelector, type TwoInputOperator } from "@millrace/core";
import type { HarnessOperator, HarnessOptions } from "./harness-options.js";
import { OperatorHarness, type HarnessKeys } from "./operator-harness.js";

/** Runs an operator with two inputs. The operator sees the smaller of both inputs' watermarks, as in a task. */
export class TwoInputHarness<A, B, OUT> extends OperatorHarness<OUT> {
  readonly #watermarks: [number, number] = [MIN_WATERMARK, MIN_WATERMARK];

  protected constructor(operator: HarnessOperator, keys: HarnessKeys, options: HarnessOptions) {
    super(operator, keys, options);
  }

  /** Makes the operator, restores and opens it. */
  static open<A, B, OUT>(operator: HarnessOperator, options: HarnessOptions = {}): Promise<TwoInputHarness<A, B, OUT>> {
    return new TwoInputHarness<A, B, OUT>(operator, [undefined, undefined], options).start();
  }

  processElement1(value: A, timestampMs: number = NO_TIMESTAMP): void {
    this.call(() => {
      this.setKey(0, value);
      (this.operator as TwoInputOperator<A, B, OUT>).processRecord1(value, timestampMs, this.out);
    });
  }

  processElement2(value: B, timestampMs: number = NO_TIMESTAMP): void {
    this.call(() => {
      this.setKey(1, value);
      (this.operator as TwoInputOperator<A, B, OUT>).processRecord2(value, timestampMs, this.out);
    });
  }

  /** Watermark of the first input. False when the operator paused at a blocked output: see `resume`. */
  processWatermark1(timestampMs: number): boolean {
    return this.#watermark(0, timestampMs);
  }

  /** Watermark of the second input. */
  processWatermark2(timestampMs: number): boolean {
    return this.#watermark(1, timestampMs);
  }

  /** The same watermark on both inputs. */
  processBothWatermarks(timestampMs: number): boolean {
    this.processWatermark1(timestampMs);
    return this.processWatermark2(timestampMs);
  }

  #watermark(index: 0 | 1, timestampMs: number): boolean {
    const before = Math.min(...this.#watermarks);
    this.#watermarks[index] = Math.max(this.#watermarks[index], timestampMs);
    const after = Math.min(...this.#watermarks);
    return after === before || this.watermark(after);
  }
}

/** How the records of a keyed harness with two inputs are keyed; leave `key2` out for a broadcast input. */
export interface KeyedTwoInputHarnessOptions<A, B> extends HarnessOptions {
  readonly key1: KeySelector<A, any>;
  readonly key2?: KeySelector<B, any>;
}

/** Runs a keyed operator with two inputs, which share state and timers per key. */
export class KeyedTwoInputHarness<A, B, OUT> extends TwoInputHarness<A, B, OUT> {
  static override open<A, B, OUT>(operator: HarnessOperator, options: KeyedTwoInputHarnessOptions<A, B>): Promise<KeyedTwoInputHarness<A, B, OUT>> {
    return new KeyedTwoInputHarness<A, B, OUT>(operator, [options.key1, options.key2], options).start();
  }
}
