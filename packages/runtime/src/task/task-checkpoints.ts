import type { Clock, FileSystem } from "@millrace/core";
import type { TaskSnapshot } from "../checkpoint/task-snapshot.js";
import type { Barrier } from "../exchange/channel-element.js";
import type { CheckpointTaskMetrics, TaskStateSnapshot } from "../protocol/deployment.js";
import type { Activity } from "./activity.js";
import type { OperatorChain } from "./operator-chain.js";
import type { TaskMailbox } from "./task-mailbox.js";

/** What a task's checkpoints need of it. */
export interface CheckpointHost {
  readonly clock: Clock;
  readonly fs: FileSystem;
  readonly checkpointDirectory: string;
  /** File name of this task's state within a checkpoint. */
  readonly fileName: string;
  readonly mailbox: TaskMailbox;
  acknowledge(checkpointId: number, state: TaskStateSnapshot, metrics: CheckpointTaskMetrics): void;
  decline(checkpointId: number, error: unknown): void;
  wake(): void;
}

interface Running {
  readonly snapshot: TaskSnapshot;
  readonly metrics: Omit<CheckpointTaskMetrics, "asyncDurationMs">;
  readonly startedMs: number;
}

/** Takes the snapshots of one task: the instant itself, then the encoding in slices, then the file. */
export class TaskCheckpoints {
  readonly #host: CheckpointHost;
  readonly #chain: OperatorChain;
  /** Being encoded, oldest first. */
  #encoding: Running[] = [];
  #writing = 0;
  readonly #aborted = new Set<number>();
  alignmentMs = 0;
  /** The newest checkpoint this task has taken its snapshot for. */
  lastCheckpointId: number;

  constructor(host: CheckpointHost, chain: OperatorChain, restoredCheckpointId: number) {
    this.#host = host;
    this.#chain = chain;
    this.lastCheckpointId = restoredCheckpointId;
  }

  /** Some snapshot is not acknowledged yet. */
  get busy(): boolean {
    return this.#encoding.length > 0 || this.#writing > 0;
  }

  get encoding(): boolean {
    return this.#encoding.length > 0;
  }

  /** Takes the snapshot: nothing but this happens in the task until it is done. */
  *take(barrier: Barrier, alignmentMs: number): Activity {
    const { clock, mailbox, checkpointDirectory } = this.#host;
    const { checkpointId, timestampMs } = barrier;
    const startedMs = clock.monotonicMs();
    const startDelayMs = Math.max(0, clock.nowMs() - timestampMs);
    this.alignmentMs = alignmentMs;
    mailbox.held = true;
    try {
      yield* this.#chain.prepareSnapshot(checkpointId);
      this.#chain.sendEvent(barrier);
      yield* this.#chain.snapshotState(barrier, checkpointDirectory, (snapshot) => {
        const syncDurationMs = clock.monotonicMs() - startedMs;
        this.#encoding.push({ snapshot, startedMs: clock.monotonicMs(), metrics: { alignmentDurationMs: alignmentMs, syncDurationMs, startDelayMs } });
      });
      // Not before: what a sink commits while the snapshot is prepared is not in it any more, and must be released when this checkpoint is complete.
      this.lastCheckpointId = checkpointId;
    } finally {
      mailbox.held = false;
    }
  }

  /** Encodes a slice of the oldest snapshot. */
  step(): void {
    const running = this.#encoding[0];
    if (running === undefined || !running.snapshot.step()) return;
    this.#encoding.shift();
    this.#write(running);
  }

  aborted(checkpointId: number): void {
    if (this.#writing > 0) this.#aborted.add(checkpointId);
    for (const { snapshot } of this.#encoding) if (snapshot.checkpointId === checkpointId) snapshot.abort();
    this.#encoding = this.#encoding.filter(({ snapshot }) => snapshot.checkpointId !== checkpointId);
  }

  abortAll(): void {
    for (const { snapshot } of this.#encoding) snapshot.abort();
    this.#encoding = [];
  }

  #write({ snapshot, metrics, startedMs }: Running): void {
    const { checkpointId } = snapshot;
    const { clock, fs, fileName } = this.#host;
    this.#writing++;
    const done = (report: () => void): void => {
      this.#writing--;
      if (!this.#aborted.delete(checkpointId)) report();
      // Whoever aborted it deleted the directory, maybe before this file was made.
      else fs.delete(snapshot.directory).catch(() => undefined);
      this.#host.wake();
    };
    snapshot.write(fs, fileName).then(
      (state) => done(() => this.#host.acknowledge(checkpointId, state, { ...metrics, asyncDurationMs: clock.monotonicMs() - startedMs })),
      (error: unknown) => done(() => this.#host.decline(checkpointId, error)),
    );
  }
}
