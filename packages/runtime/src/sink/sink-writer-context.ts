import type { OperatorContext, SinkWriterContext } from "@millrace/core";

/** What a sink operator needs of its task. */
export interface SinkServices {
  /** What it returns is to be waited for before more is sent. */
  log(level: "print" | "info" | "warn", line: string): void | Promise<void>;
  /** Sends values to the program that called `execute()`; returns as {@link log} does. */
  collect(collectId: string, values: readonly unknown[]): void | Promise<void>;
  /** A commit is through: the task may be able to finish. */
  committed(): void;
  fail(error: unknown): void;
}

/** The context a sink's writer and committer are made with. */
export function sinkWriterContext(context: OperatorContext, services: SinkServices, restoredCheckpointId: number | undefined): SinkWriterContext {
  return {
    jobId: context.jobId,
    operatorId: context.operatorId,
    subtaskIndex: context.subtaskIndex,
    parallelism: context.parallelism,
    attemptNumber: context.attemptNumber,
    restoredCheckpointId,
    clock: context.clock,
    fs: context.fs,
    config: context.config,
    metrics: context.metrics,
    random: () => context.random(),
    registerTimer: (delayMs, action) =>
      context.processingTime.registerTimer(context.processingTime.nowMs() + delayMs, () => {
        const work = action();
        if (work !== undefined) context.suspendUntil(work);
      }),
    log: (level, line) => services.log(level, line),
    collect: (collectId, values) => services.collect(collectId, values),
  };
}
