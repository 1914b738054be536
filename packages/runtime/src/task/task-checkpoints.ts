import type { Cancellable, Clock, FileSystem } from "@millrace/core";
import { InFlightData } from "../checkpoint/in-flight-data.js";
import type { TaskSnapshot } from "../checkpoint/task-snapshot.js";
import type { Barrier } from "../exchange/channel-element.js";
import type { Alignment } from "../input/barrier-aligner.js";
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
  /** {@link TaskInput.recordInFlight}. */
  recordInFlight(checkpointId: number, data: InFlightData): boolean;
  acknowledge(checkpointId: number, state: TaskStateSnapshot, metrics: CheckpointTaskMetrics): void;
  decline(checkpointId: number, error: unknown): void;
  wake(): void;
}

interface Running {
  readonly snapshot: TaskSnapshot;
  readonly inFlight: InFlightData;
  readonly alignment: Alignment | undefined;
  readonly syncDurationMs: number;
  readonly startDelayMs: number;
  readonly startedMs: number;
  encoded: boolean;
  alignmentMs: number;
  /** For a barrier that waits in an output and may overtake later. */
  timer: Cancellable | undefined;
}

/** Takes the snapshots of one task: the instant itself, then the encoding in slices, with what is still to come of data in flight, then the file. */
export class TaskCheckpoints {
  readonly #host: CheckpointHost;
  readonly #chain: OperatorChain;
  /** Being encoded, or waiting for data in flight; oldest first. */
  #running: Running[] = [];
  #writing = 0;
  readonly #aborted = new Set<number>();
  /** The checkpoint whose snapshot is being taken, until that is done or it was aborted. */
  #taking: number | undefined;
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
    return this.#running.length > 0 || this.#writing > 0;
  }

  get encoding(): boolean {
    return this.#running.some(({ encoded }) => !encoded);
  }

  /** Takes the snapshot: nothing but this happens in the task until it is done. @param alignment none for a task whose input is made here */
  *take(received: Barrier, alignment: Alignment | undefined): Activity {
    const { clock, mailbox, checkpointDirectory } = this.#host;
    const { checkpointId, timestampMs } = received;
    const startedMs = clock.monotonicMs();
    const startDelayMs = Math.max(0, clock.nowMs() - timestampMs);
    const inFlight = new InFlightData();
    mailbox.held = true;
    this.#taking = checkpointId;
    try {
      yield* this.#chain.prepareSnapshot(checkpointId);
      if (alignment !== undefined && alignment.durationMs === undefined && !this.#host.recordInFlight(checkpointId, inFlight)) return;
      const barrier = received.overtakesInMs(clock.nowMs()) === 0 ? received.overtaking() : received;
      this.#chain.sendBarrier(barrier, inFlight);
      const timer = this.#overtakeLater(barrier, inFlight);
      yield* this.#chain.snapshotState(barrier, checkpointDirectory, (snapshot) => {
        const syncDurationMs = clock.monotonicMs() - startedMs;
        const running: Running = {
          snapshot, inFlight, alignment, syncDurationMs, startDelayMs, startedMs: clock.monotonicMs(), encoded: false, alignmentMs: 0, timer,
        };
        // What an unaligned checkpoint waits for does not come any more once it was aborted.
        if (this.#taking === undefined) return giveUp(running);
        this.#running.push(running);
        inFlight.onComplete = () => this.#inFlightComplete(running);
      });
      inFlight.seal();
      // Not before: what a sink commits while the snapshot is prepared is not in it any more, and must be released when this checkpoint is complete.
      this.lastCheckpointId = checkpointId;
    } finally {
      this.#taking = undefined;
      mailbox.held = false;
    }
  }

  /** A barrier that waits in an output behind records overtakes them when its time has come. */
  #overtakeLater(barrier: Barrier, inFlight: InFlightData): Cancellable | undefined {
    const { clock } = this.#host;
    if (inFlight.opened === 0 || barrier.unaligned) return undefined;
    return clock.setTimer(barrier.overtakesInMs(clock.nowMs())!, () => {
      for (const writer of this.#chain.writers) writer.overtake(barrier.overtaking());
    });
  }

  #inFlightComplete(running: Running): void {
    running.timer?.cancel();
    const { alignment } = running;
    if (alignment !== undefined) this.alignmentMs = running.alignmentMs = alignment.durationMs ?? this.#host.clock.monotonicMs() - alignment.startedMs;
    this.#writeIfReady(running);
  }

  /** Encodes a slice of the oldest snapshot. */
  step(): void {
    const running = this.#running.find(({ encoded }) => !encoded);
    if (running === undefined || !running.snapshot.step()) return;
    running.encoded = true;
    this.#writeIfReady(running);
  }

  #writeIfReady(running: Running): void {
    if (!running.encoded || !running.inFlight.complete) return;
    this.#running = this.#running.filter((other) => other !== running);
    this.#write(running);
  }

  aborted(checkpointId: number): void {
    if (this.#taking === checkpointId) this.#taking = undefined;
    if (this.#writing > 0) this.#aborted.add(checkpointId);
    for (const running of this.#running) if (running.snapshot.checkpointId === checkpointId) giveUp(running);
    this.#running = this.#running.filter(({ snapshot }) => snapshot.checkpointId !== checkpointId);
  }

  abortAll(): void {
    for (const running of this.#running) giveUp(running);
    this.#running = [];
  }

  #write({ snapshot, inFlight, alignment, alignmentMs, syncDurationMs, startDelayMs, startedMs }: Running): void {
    const { checkpointId } = snapshot;
    const { clock, fs, fileName } = this.#host;
    const figures = {
      alignmentDurationMs: alignmentMs, syncDurationMs, startDelayMs, unaligned: inFlight.unaligned, persistedBytes: inFlight.bytes, processedBytes: alignment?.processedBytes ?? 0,
    };
    this.#writing++;
    const done = (report: () => void): void => {
      this.#writing--;
      if (!this.#aborted.delete(checkpointId)) report();
      // Whoever aborted it deleted the directory, maybe before this file was made.
      else fs.delete(snapshot.directory).catch(() => undefined);
      this.#host.wake();
    };
    snapshot.write(fs, fileName, inFlight).then(
      (state) => done(() => this.#host.acknowledge(checkpointId, state, { ...figures, asyncDurationMs: clock.monotonicMs() - startedMs })),
      (error: unknown) => done(() => this.#host.decline(checkpointId, error)),
    );
  }
}

function giveUp({ snapshot, inFlight, timer }: Running): void {
  timer?.cancel();
  inFlight.discard();
  snapshot.abort();
}
