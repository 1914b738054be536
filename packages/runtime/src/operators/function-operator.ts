import type {
  CheckpointedFunction, CheckpointListener, Operator, OperatorContext, RichFunction, StateInitializationContext, StateSnapshotContext,
} from "@millrace/core";

/** What any user function may bring along besides its own methods; found by looking for the methods. */
export type FunctionLifeCycle = Partial<RichFunction & CheckpointedFunction & CheckpointListener>;

/** Runs `next` after `first`, synchronously when `first` is. */
export function after(first: void | Promise<void>, next: () => void | Promise<void>): void | Promise<void> {
  return first === undefined ? next() : first.then(next);
}

/**
 * The base of operators that run a user function: opens, closes and snapshots it.
 *
 * Order: {@link setup} (the operator's own state and timers), `initializeState` of the function, `open` of the function.
 */
export abstract class FunctionOperator<OUT = unknown> implements Operator<OUT> {
  protected readonly context: OperatorContext;
  protected readonly userFunction: FunctionLifeCycle;

  constructor(context: OperatorContext, userFunction: object | undefined) {
    this.context = context;
    this.userFunction = (userFunction ?? {}) as FunctionLifeCycle;
  }

  /** Opens the operator's own state; restored state is there. */
  protected setup(_context: StateInitializationContext): void {}

  open(context: StateInitializationContext): void | Promise<void> {
    this.setup(context);
    return after(this.userFunction.initializeState?.(context), () => this.userFunction.open?.(this.context.runtimeContext));
  }

  snapshotState(context: StateSnapshotContext): void | Promise<void> {
    return this.userFunction.snapshotState?.(context);
  }

  notifyCheckpointComplete(checkpointId: number): void | Promise<void> {
    return this.userFunction.notifyCheckpointComplete?.(checkpointId);
  }

  notifyCheckpointAborted(checkpointId: number): void | Promise<void> {
    return this.userFunction.notifyCheckpointAborted?.(checkpointId);
  }

  close(): void | Promise<void> {
    return this.userFunction.close?.();
  }
}
