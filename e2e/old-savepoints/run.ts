import { LocalFileSystem } from "@millrace/env-node";
import { VirtualTimeEnvironment } from "@millrace/testkit";
import { buildJob, VisibleSink } from "./job.js";

export interface RunOptions {
  readonly parallelism: number;
  /** A savepoint to start from. */
  readonly from?: string;
  /** Stops the job behind a savepoint in `directory`. */
  readonly stop?: { readonly afterMs: number; readonly directory: string };
}

/** Runs the job to its end, or until it is stopped: what it has committed, sorted, and where the savepoint is. */
export async function runJob({ parallelism, from, stop }: RunOptions): Promise<{ readonly visible: readonly string[]; readonly savepoint: string | undefined }> {
  const virtual = new VirtualTimeEnvironment({
    fs: new LocalFileSystem(), seed: 7,
    config: {
      "parallelism.default": parallelism, "pipeline.max-parallelism": 128, "execution.checkpointing.interval": 50, "restart-strategy.type": "none",
      ...(from === undefined ? {} : { "execution.state-recovery.path": from }),
    },
  });
  const visible: string[] = [];
  buildJob(virtual.env, virtual.time.clock, new VisibleSink(visible));
  let stopped: Promise<string> | undefined;
  if (stop !== undefined) virtual.time.clock.setTimer(stop.afterMs, () => void (stopped = virtual.job.stopWithSavepoint({ directory: stop.directory })));
  await virtual.execute();
  return { visible: visible.sort(), savepoint: await stopped };
}
