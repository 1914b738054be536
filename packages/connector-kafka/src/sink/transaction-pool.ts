import type { LogPosition } from "../client/kafka-producer.js";
import type { TransactionalIds } from "./transactional-ids.js";

/** A transaction that is prepared: everything is written, the commit alone is left. Whoever has this can commit it, from any process. */
export interface KafkaCommittable {
  readonly transactionalId: string;
  /** A 64-bit number, in decimal. */
  readonly producerId: string;
  readonly producerEpoch: number;
  /** Which of its writer's snapshots it belongs to. */
  readonly sequence: number;
  /** Last batches of some of its partitions: how it ended can be read behind them. Not in checkpoints of versions before this was known. */
  readonly written?: readonly LogPosition[];
}

/**
 * Which transactional id of a writer is used when. Brokers remember each for a week, so that ids are used again; but not too soon.
 *
 * A committed id may still be in the snapshot that the job goes back to, and is committed again then. Had it begun another transaction in the meantime, the
 * coordinator could not say any more that it was committed. So it rests until a checkpoint is complete whose snapshot was taken after the commit was done with.
 */
export class TransactionPool {
  readonly #ids: TransactionalIds;
  #next: number = 0;
  #sequence: number = 0;
  #free: string[] = [];
  readonly #prepared = new Set<string>();
  /** Committed by the batch of commits under way or the last one: a snapshot taken now may still have them. */
  #committed: string[] = [];
  /** Committed, and in no snapshot with a higher sequence. */
  #resting: { readonly id: string; readonly sequence: number }[] = [];

  constructor(ids: TransactionalIds) {
    this.#ids = ids;
  }

  /** Ids that are prepared and not known to be committed. */
  get prepared(): readonly string[] {
    return [...this.#prepared];
  }

  /** An id that no transaction needs. */
  take(): string {
    return this.#free.shift() ?? this.#ids.id(this.#next++);
  }

  /** A snapshot begins. Returns its sequence. */
  beginSnapshot(): number {
    return ++this.#sequence;
  }

  prepare(id: string): void {
    this.#prepared.add(id);
  }

  /** Commits of a complete checkpoint begin, those before are done with. @param newest the highest sequence among them */
  beginCommits(newest: number): void {
    this.#free.push(...this.#resting.filter(({ sequence }) => sequence < newest).map(({ id }) => id));
    this.#resting = this.#resting.filter(({ sequence }) => sequence >= newest);
    this.#resting.push(...this.#committed.map((id) => ({ id, sequence: this.#sequence })));
    this.#committed = [];
  }

  committed(id: string): void {
    this.#prepared.delete(id);
    this.#committed.push(id);
  }
}
