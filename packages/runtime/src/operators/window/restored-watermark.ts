import { ListStateDescriptor, MIN_WATERMARK, Types, type OperatorListState, type StateInitializationContext } from "@millrace/core";

const descriptor = new ListStateDescriptor<number>("window-watermark", Types.number);

/**
 * Keeps an operator's watermark in its snapshots, so that after a restore a record is late exactly when it would have been late without the failure.
 * The watermark itself comes again from upstream only some time after the restore. With several old subtasks the smallest counts.
 */
export class RestoredWatermark {
  /** `MIN_WATERMARK` when nothing was restored. */
  timestampMs: number = MIN_WATERMARK;
  #state: OperatorListState<number> | undefined;

  open(context: StateInitializationContext): void {
    this.#state = context.operatorState.getUnionListState(descriptor);
    if (!context.isRestored) return;
    const restored = [...this.#state.get()];
    if (restored.length > 0) this.timestampMs = Math.min(...restored);
  }

  snapshot(currentWatermarkMs: number): void {
    this.#state!.update([Math.max(this.timestampMs, currentWatermarkMs)]);
  }
}
