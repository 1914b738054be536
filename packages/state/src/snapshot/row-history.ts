import type { KeyedStatePart } from "../handles.js";
import type { KeyCursor } from "../heap/key-cursor.js";
import { PAGE_ROWS } from "../heap/paged.js";
import { RowSet } from "../heap/row-set.js";

/** What one incremental snapshot writes of the rows, and where the others are. */
export interface RowPlan {
  /** Rows that the snapshot tells the state of, be it that they have none; `undefined` for all. */
  readonly rows: RowSet | undefined;
  /** Parts of older checkpoints, ascending: a row's state is in the newest part that tells it. */
  readonly earlier: readonly KeyedStatePart[];
}

/** How often what is written again. */
export interface RowHistoryLimits {
  /** Every page is written whole once in so many checkpoints, so that none needs many more older ones than that. */
  readonly rotation: number;
  /** With fewer pages every snapshot stands alone: writing all takes a few milliseconds. */
  readonly minPages: number;
}

const LIMITS: RowHistoryLimits = { rotation: 8, minPages: 8 };
/** Snapshots of which it is not known what became of them; older ones are not built on. */
const MAX_UNDECIDED = 8;

/** A snapshot that others may build on. */
interface Chain {
  readonly layout: string;
  /** By page: the checkpoint whose part tells all of it, newer parts tell what changed. */
  readonly wholeIn: readonly number[];
  /** Pages are written whole in turn: here the next snapshot goes on. */
  readonly nextPage: number;
  /** Ascending; the snapshot's own part is the last. */
  readonly parts: readonly KeyedStatePart[];
}

interface Taken {
  readonly checkpointId: number;
  readonly layout: string;
  /** Rows used between the snapshot before and this one. */
  readonly changed: RowSet;
  readonly plan: RowPlan;
  readonly wholeIn: readonly number[];
  readonly nextPage: number;
  /** Where it was written to, once that is known and as long as it was not aborted. */
  part: KeyedStatePart | undefined;
}

/**
 * Knows what an incremental snapshot has to write: the rows that were used since the checkpoint it builds on, and some pages whole.
 *
 * A snapshot builds on the newest checkpoint that is known to be complete, never on one that may still be aborted; whatever became of those
 * between, the rows used since then are written. When more than half of all rows would be written, it writes all and stands alone.
 */
export class RowHistory {
  private readonly cursor: KeyCursor;
  private readonly limits: RowHistoryLimits;
  /** Rows used before a snapshot that nothing builds on, and after the one before it. */
  private usedBefore: RowSet | undefined = undefined;
  private base: Chain | undefined = undefined;
  /** The snapshots after {@link base}, oldest first. */
  private taken: Taken[] = [];

  constructor(cursor: KeyCursor, limits: RowHistoryLimits = LIMITS) {
    this.cursor = cursor;
    this.limits = limits;
  }

  /** Begins a snapshot of all rows that nothing builds on. */
  beginAlone(): void {
    const used = this.cursor.takeUsed();
    // Needed by a later snapshot that builds on an earlier one.
    if (this.base === undefined && this.taken.length === 0) return;
    if (this.usedBefore !== undefined) used.addAll(this.usedBefore);
    this.usedBefore = used;
  }

  /**
   * Begins a snapshot of rows below `rowCount`; `undefined` when they are so few that all are written and nothing is to be built on it.
   * One with another `layout` (what states there are, and of which types) stands alone.
   */
  begin(checkpointId: number, rowCount: number, layout: string): RowPlan | undefined {
    const pages = Math.ceil(rowCount / PAGE_ROWS);
    if (pages < this.limits.minPages) {
      this.beginAlone();
      return undefined;
    }
    const changed = this.cursor.takeUsed();
    if (this.usedBefore !== undefined) changed.addAll(this.usedBefore);
    this.usedBefore = undefined;
    const taken = this.increment(checkpointId, pages, changed, layout) ?? this.whole(checkpointId, pages, layout);
    this.taken.push(taken);
    if (this.taken.length > MAX_UNDECIDED) this.taken[1]!.changed.addAll(this.taken.shift()!.changed);
    return taken.plan;
  }

  /** Says where the snapshot was written to. */
  located(checkpointId: number, part: KeyedStatePart): void {
    const taken = this.taken.find((candidate) => candidate.checkpointId === checkpointId);
    if (taken !== undefined) taken.part = part;
  }

  /** The checkpoint is complete: its files stay as long as snapshots build on it. */
  complete(checkpointId: number): void {
    const index = this.taken.findIndex((candidate) => candidate.checkpointId === checkpointId);
    const taken = this.taken[index];
    if (taken?.part === undefined) return;
    this.base = { layout: taken.layout, wholeIn: taken.wholeIn, nextPage: taken.nextPage, parts: [...taken.plan.earlier, taken.part] };
    this.taken.splice(0, index + 1);
  }

  /** The checkpoint's files are gone, or will be. */
  aborted(checkpointId: number): void {
    const taken = this.taken.find((candidate) => candidate.checkpointId === checkpointId);
    if (taken !== undefined) taken.part = undefined;
  }

  private increment(checkpointId: number, pages: number, changed: RowSet, layout: string): Taken | undefined {
    const base = this.base;
    if (base?.layout !== layout) return undefined;
    const rows = new RowSet();
    rows.addAll(changed);
    for (const taken of this.taken) rows.addAll(taken.changed);
    const wholeIn = base.wholeIn.slice();
    const writeWhole = (page: number): void => {
      rows.addPage(page);
      wholeIn[page] = checkpointId;
    };
    for (let page = wholeIn.length; page < pages; page++) writeWhole(page);
    const turn = Math.ceil(pages / this.limits.rotation);
    for (let i = 0; i < turn; i++) writeWhole((base.nextPage + i) % pages);
    if (rows.count() * 2 > pages * PAGE_ROWS) return undefined;
    const oldest = wholeIn.reduce((least, id) => Math.min(least, id));
    const earlier = base.parts.filter((part) => part.checkpointId >= oldest);
    return { checkpointId, layout, changed, plan: { rows, earlier }, wholeIn, nextPage: (base.nextPage + turn) % pages, part: undefined };
  }

  /** A snapshot that stands alone. What went before is forgotten, since its files may be deleted as soon as this checkpoint is complete. */
  private whole(checkpointId: number, pages: number, layout: string): Taken {
    this.base = undefined;
    this.taken = [];
    const wholeIn = Array<number>(pages).fill(checkpointId);
    return { checkpointId, layout, changed: new RowSet(), plan: { rows: undefined, earlier: [] }, wholeIn, nextPage: 0, part: undefined };
  }
}
