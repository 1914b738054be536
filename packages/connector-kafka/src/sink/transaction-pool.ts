import type { LogPosition } from "../client/kafka-producer.js";

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
 * The transactional ids of one subtask. Brokers remember each for a week, so that ids are used again; but not too soon.
 *
 * A committed id may still be in the snapshot that the job goes back to, and is committed again then. Had it begun another transaction in the meantime, that
 * would be taken for a failed commit. So it rests until a checkpoint is complete whose snapshot was taken after the commit was done with.
 */
export class TransactionPool {
  readonly #prefix: string;
  readonly #subtask: number;
  readonly #taken: Set<string>;
  readonly #handedOut = new Set<string>();
  #next: number = 0;
  #sequence: number = 0;
  #free: string[] = [];
  /** Committed by the batch of commits under way or the last one: a snapshot taken now may still have them. */
  #committed: string[] = [];
  /** Committed, and in no snapshot with a higher sequence. */
  #resting: { readonly id: string; readonly sequence: number }[] = [];

  /**
   * A writer's state names the id it would have used next, which brokers may not know yet; whoever the state goes to, often another subtask, aborts what was begun
   * under it. So after a restore new ids begin two behind the highest known one: no id can be that one.
   * @param taken ids that brokers know already, from other attempts
   */
  constructor(prefix: string, subtask: number, taken: Iterable<string>, isRestored: boolean = false) {
    this.#prefix = prefix;
    this.#subtask = subtask;
    this.#taken = new Set(taken);
    if (!isRestored) return;
    this.#next = 1;
    for (const id of this.#taken) if (subtaskOfId(prefix, id) === subtask) this.#next = Math.max(this.#next, Number(id.slice(id.lastIndexOf("-") + 1)) + 2);
  }

  /** The sequence of the newest snapshot. */
  get sequence(): number {
    return this.#sequence;
  }

  /** An id that no transaction needs. */
  take(): string {
    const id = this.#free.shift() ?? this.#fresh();
    this.#handedOut.add(id);
    return id;
  }

  /** A snapshot begins. Returns its sequence. */
  beginSnapshot(): number {
    return ++this.#sequence;
  }

  /** Commits of a complete checkpoint begin, those before are done with. @param newest the highest sequence among them */
  beginCommits(newest: number): void {
    this.#free.push(...this.#resting.filter(({ sequence }) => sequence < newest).map(({ id }) => id));
    this.#resting = this.#resting.filter(({ sequence }) => sequence >= newest);
    this.#resting.push(...this.#committed.map((id) => ({ id, sequence: this.#sequence })));
    this.#committed = [];
  }

  committed(id: string): void {
    this.#committed.push(id);
  }

  /** Whether this attempt uses or has used it. */
  knows(id: string): boolean {
    return this.#handedOut.has(id);
  }

  /** An id of another attempt that nobody needs any more. */
  addFree(id: string): void {
    this.#free.push(id);
    this.#handedOut.add(id);
  }

  #fresh(): string {
    for (;;) {
      const id = transactionalIdOf(this.#prefix, this.#subtask, this.#next++);
      if (!this.#taken.has(id)) return id;
    }
  }
}

export function transactionalIdOf(prefix: string, subtask: number, index: number): string {
  return `${prefix}-${subtask}-${index}`;
}

/** The subtask in an id of this prefix; `undefined` for the ids of others. */
export function subtaskOfId(prefix: string, id: string): number | undefined {
  if (!id.startsWith(`${prefix}-`)) return undefined;
  const match = /^(\d+)-\d+$/.exec(id.slice(prefix.length + 1));
  return match === null ? undefined : Number(match[1]);
}
