import type { SinkWriterContext } from "@millrace/core";

/** The parts of a name of {@link UnitNames}. */
export interface UnitName {
  /** Of the job, the operator and the checkpoint it was restored from. */
  readonly lineage: string;
  /** That checkpoint, 0 for none; -1 in names of versions that did not say it. */
  readonly restoredFrom: number;
  readonly attempt: number;
  readonly nonce: string;
  readonly subtask: number;
  readonly number: number;
}

/** A writer's part of a checkpoint: its units with a higher or this number were begun afterwards. */
export interface UnitNamesState {
  readonly lineage: string;
  readonly attempt: number;
  readonly nonce: string;
  readonly subtask: number;
  readonly next: number;
}

/**
 * Names for what one writer hands to an external system piece by piece (transactions, batches): `<prefix>-<lineage>c<checkpoint>r<attempt>x<nonce>-<subtask>-<number>`.
 *
 * A name is never used twice, whatever is restored from whatever: an external system may go by it to tell what it has already. And from a name and a checkpoint
 * anybody can tell whether the unit was begun after that checkpoint.
 */
export class UnitNames {
  readonly prefix: string;
  readonly #own: Omit<UnitName, "number">;
  readonly #parallelism: number;
  readonly #isRestored: boolean;
  /** The lineage of this job's attempts from a checkpoint. */
  readonly #lineageFrom: (checkpointId: number | undefined) => string;
  #next: number = 0;
  /** What was there when this attempt began. */
  #wereThere: ReadonlySet<string> = new Set();

  constructor(prefix: string, context: SinkWriterContext) {
    this.prefix = prefix;
    this.#parallelism = context.parallelism;
    this.#isRestored = context.restoredCheckpointId !== undefined;
    this.#lineageFrom = (checkpointId) => hash([context.jobId, context.operatorId, String(checkpointId ?? "none")].join("\0"));
    this.#own = {
      lineage: this.#lineageFrom(context.restoredCheckpointId), restoredFrom: context.restoredCheckpointId ?? 0, attempt: context.attemptNumber,
      nonce: Math.floor(context.random() * 36 ** 6).toString(36).padStart(6, "0"), subtask: context.subtaskIndex,
    };
  }

  /** The next unit's name. */
  next(): string {
    const { lineage, restoredFrom, attempt, nonce, subtask } = this.#own;
    return `${this.prefix}-${lineage}c${restoredFrom}r${attempt}x${nonce}-${subtask}-${this.#next++}`;
  }

  state(): UnitNamesState {
    const { lineage, attempt, nonce, subtask } = this.#own;
    return { lineage, attempt, nonce, subtask, next: this.#next };
  }

  /**
   * Whether a unit is left over from an attempt that failed, so that its records come again: it was begun by a writer whose state came here, after that state,
   * or by an earlier attempt of this subtask from the same checkpoint. An attempt without a checkpoint also takes what other jobs have begun, but nothing of later
   * attempts of its own job: it may have been given up before it looked, and they may have a complete checkpoint.
   */
  isLeftover(name: string, states: readonly UnitNamesState[]): boolean {
    const unit = parseUnitName(this.prefix, name);
    if (unit === undefined) return false;
    if (states.some((state) => isSameWriter(state, unit) && unit.number >= state.next)) return true;
    if (!this.#isMine(unit)) return false;
    if (!this.#isRestored && unit.lineage !== this.#lineageFrom(unit.restoredFrom === 0 ? undefined : unit.restoredFrom)) return true;
    return unit.lineage === this.#own.lineage && unit.attempt < this.#own.attempt;
  }

  /** Remembers what units there were before this attempt began its first. */
  begin(names: readonly string[]): void {
    this.#wereThere = new Set(names);
  }

  /**
   * The same, once everything restored is committed by all subtasks: then it is what earlier attempts have begun. Later ones, should this one be given up without
   * knowing it, go from a newer checkpoint.
   */
  isLeftoverOfOthers(name: string): boolean {
    const unit = parseUnitName(this.prefix, name);
    if (unit === undefined || !this.#isMine(unit) || isSameWriter(this.#own, unit)) return false;
    return this.#wereThere.has(name) || unit.restoredFrom <= this.#own.restoredFrom;
  }

  /** Whether this attempt has made the name. */
  isOwn(name: string): boolean {
    const unit = parseUnitName(this.prefix, name);
    return unit !== undefined && isSameWriter(this.#own, unit);
  }

  /** Each subtask looks after its own former attempts and those of subtasks that are no more, so that nothing of a running one is touched. */
  #isMine(unit: UnitName): boolean {
    return unit.subtask % this.#parallelism === this.#own.subtask;
  }
}

/** `undefined` for names of another prefix. */
export function parseUnitName(prefix: string, name: string): UnitName | undefined {
  if (!name.startsWith(`${prefix}-`)) return undefined;
  const match = /^([0-9a-f]{8})(?:c(\d+))?r(\d+)x([0-9a-z]{6})-(\d+)-(\d+)$/.exec(name.slice(prefix.length + 1));
  if (match === null) return undefined;
  const [, lineage = "", restoredFrom = "-1", attempt, nonce = "", subtask, number] = match;
  return { lineage, restoredFrom: Number(restoredFrom), attempt: Number(attempt), nonce, subtask: Number(subtask), number: Number(number) };
}

function isSameWriter(a: Omit<UnitName, "number" | "restoredFrom">, b: Omit<UnitName, "number" | "restoredFrom">): boolean {
  return a.lineage === b.lineage && a.attempt === b.attempt && a.nonce === b.nonce && a.subtask === b.subtask;
}

/** FNV-1a with a final mix: names need few collisions, not secrecy. */
function hash(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0).toString(16).padStart(8, "0");
}
