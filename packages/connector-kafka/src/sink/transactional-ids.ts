import type { SinkWriterContext } from "@millrace/core";
import type { KafkaWriterState } from "./kafka-sink-writer.js";

/** The parts of a transactional id. */
interface TransactionalId {
  readonly subtask: number;
  /** The checkpoint that its writer's attempt was restored from, 0 for none; -1 in ids of versions that did not name it. */
  readonly restoredFrom: number;
  readonly attempt: number;
  /** A hash of the job's id; empty in ids of versions that did not name it. */
  readonly job: string;
  readonly nonce: string;
}

/**
 * The transactional ids of one writer: `<prefix>-<subtask>-<restored from>r<attempt>j<job>x<nonce>-<number>`. No other writer ever takes one of them, so that a process
 * that was given up and lives on cannot get hold of a transaction begun by those who came after it. And from an id everybody can tell whether its transaction was
 * begun by an earlier attempt, and is to be aborted.
 */
export class TransactionalIds {
  readonly prefix: string;
  readonly #own: TransactionalId;
  readonly #parallelism: number;
  readonly #isRestored: boolean;

  constructor(prefix: string, context: Pick<SinkWriterContext, "jobId" | "subtaskIndex" | "parallelism" | "attemptNumber" | "restoredCheckpointId" | "random">) {
    this.prefix = prefix;
    this.#parallelism = context.parallelism;
    this.#isRestored = context.restoredCheckpointId !== undefined;
    this.#own = {
      subtask: context.subtaskIndex, restoredFrom: context.restoredCheckpointId ?? 0, attempt: context.attemptNumber, job: hash(context.jobId),
      nonce: Math.floor(context.random() * 36 ** 6).toString(36).padStart(6, "0"),
    };
  }

  id(number: number): string {
    const { subtask, restoredFrom, attempt, job, nonce } = this.#own;
    return `${this.prefix}-${subtask}-${restoredFrom}r${attempt}j${job}x${nonce}-${number}`;
  }

  /**
   * Whether an open transaction is left over from an attempt that failed, so that its records come again: it was begun by a writer whose state came here, after that
   * state; or by an earlier attempt of this subtask from the same checkpoint. An attempt without a checkpoint also aborts what other jobs have begun, but nothing of
   * later attempts of its own job: it may have been given up before it looked, and they may have a complete checkpoint.
   */
  isLeftover(id: string, states: readonly KafkaWriterState[]): boolean {
    const parts = this.#parse(id);
    if (parts === undefined) return false;
    const writtenBy = states.find(({ transactionalId }) => isSameWriter(this.#parse(transactionalId), parts));
    if (writtenBy?.prepared !== undefined) return !writtenBy.prepared.includes(id);
    if (!this.#looksAfter(parts)) return false;
    if (!this.#isRestored && parts.job !== this.#own.job) return true;
    return parts.restoredFrom === this.#own.restoredFrom && parts.attempt < this.#own.attempt;
  }

  /**
   * The same, once a checkpoint of this attempt is complete, and with it everything that was restored is committed by all subtasks: then it is what earlier
   * attempts have begun. Later ones, should this one be given up without knowing it, go from that checkpoint or a newer one.
   * @param wasOpen whether it was open when this attempt began
   */
  isLeftoverOfOthers(id: string, wasOpen: boolean): boolean {
    const parts = this.#parse(id);
    return parts !== undefined && this.#looksAfter(parts) && !isSameWriter(parts, this.#own) && (wasOpen || parts.restoredFrom <= this.#own.restoredFrom);
  }

  /** Each subtask looks after its own former attempts and those of subtasks that are no more, so that nothing of a running one is touched. */
  #looksAfter({ subtask }: TransactionalId): boolean {
    return subtask % this.#parallelism === this.#own.subtask;
  }

  /** `undefined` for ids of another prefix. */
  #parse(id: string): TransactionalId | undefined {
    if (!id.startsWith(`${this.prefix}-`)) return undefined;
    const match = /^(\d+)-(?:(\d+)r(\d+)(?:j([0-9a-f]{8}))?x([0-9a-z]{6})-)?\d+$/.exec(id.slice(this.prefix.length + 1));
    if (match === null) return undefined;
    const [, subtask, restoredFrom = "-1", attempt = "-1", job = "", nonce = ""] = match;
    return { subtask: Number(subtask), restoredFrom: Number(restoredFrom), attempt: Number(attempt), job, nonce };
  }
}

function isSameWriter(a: TransactionalId | undefined, b: TransactionalId): boolean {
  return a !== undefined && a.subtask === b.subtask && a.restoredFrom === b.restoredFrom && a.attempt === b.attempt && a.nonce === b.nonce;
}

/** FNV-1a with a final mix: it is to tell jobs apart, not to be secret. */
function hash(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0).toString(16).padStart(8, "0");
}
