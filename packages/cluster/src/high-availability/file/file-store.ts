import { checkChanges, isMillraceError, leadershipLost, MillraceError, type FencedStore, type StoreChange, type StoredValue } from "@millrace/core";
import { StoreTable } from "../store-table.js";
import type { FileLayout } from "./file-layout.js";
import { newestState, readState, writeState } from "./leader-state.js";

interface PendingCommit {
  readonly fencingToken: number;
  readonly changes: readonly StoreChange[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * The fenced store in files. The leader owns one file, `state-<token>`, and rewrites it whole; commits that come while it is written go
 * into the next write together.
 *
 * Why a deposed leader cannot hurt: its successor has copied the state to a file of its own, so late writes go where nobody looks. Why no
 * commit that resolved is lost: the leader writes and *then* looks for a newer claim, the successor claims and *then* reads; one of the two
 * sees the other.
 */
export class FileStore implements FencedStore {
  readonly #layout: FileLayout;
  #token = 0;
  #table: StoreTable | undefined;
  #pending: PendingCommit[] = [];
  #writing = false;
  /** Called when a commit finds that another leader was elected. */
  onSuperseded: (fencingToken: number) => void = () => {};

  constructor(layout: FileLayout) {
    this.#layout = layout;
  }

  /** This process leads, and `table` is what it wrote as its state. */
  open(fencingToken: number, table: StoreTable): void {
    this.#token = fencingToken;
    this.#table = table;
  }

  /** This process no longer leads. */
  shut(): void {
    this.#token = 0;
    this.#table = undefined;
  }

  async get(key: string): Promise<StoredValue | undefined> {
    return (this.#table ?? (await this.#others())).get(key);
  }

  async list(key: string): Promise<string[]> {
    return (this.#table ?? (await this.#others())).list(key);
  }

  async #others(): Promise<StoreTable> {
    for (;;) {
      const newest = await this.#layout.highestClaim();
      const state = await newestState(this.#layout, newest, newest + 1);
      if (state !== undefined) return state;
    }
  }

  commit(fencingToken: number, changes: readonly StoreChange[]): Promise<void> {
    return new Promise((resolve, reject) => {
      checkChanges(changes);
      this.#pending.push({ fencingToken, changes, resolve, reject });
      if (!this.#writing) void this.#writePending();
    });
  }

  async #writePending(): Promise<void> {
    this.#writing = true;
    while (this.#pending.length > 0) await this.#writeBatch(this.#pending.splice(0));
    this.#writing = false;
  }

  async #writeBatch(batch: readonly PendingCommit[]): Promise<void> {
    const token = this.#token;
    const table = this.#table === undefined ? undefined : new StoreTable(this.#table.entries());
    const applied: PendingCommit[] = [];
    for (const commit of batch) {
      try {
        if (table === undefined || commit.fencingToken !== token) throw leadershipLost(commit.fencingToken, "this process does not lead under it");
        table.apply(commit.changes);
        applied.push(commit);
      } catch (error) {
        commit.reject(error);
      }
    }
    if (applied.length === 0 || table === undefined) return;
    try {
      await writeState(this.#layout, token, table);
      const newest = await this.#layout.highestClaim();
      if (newest !== token) {
        this.onSuperseded(token);
        throw leadershipLost(token, `token ${newest} was claimed`);
      }
    } catch (cause) {
      const error = isMillraceError(cause) && cause.code === "LEADERSHIP_LOST" ? cause : unavailable(this.#layout.directory, cause);
      await this.#reload(token);
      for (const commit of applied) commit.reject(error);
      return;
    }
    if (this.#token === token) this.#table = table;
    for (const commit of applied) commit.resolve();
  }

  /** After a write that may or may not have happened, only the file knows. */
  async #reload(token: number): Promise<void> {
    if (this.#token !== token) return;
    const table = await readState(this.#layout, token).catch(() => undefined);
    if (this.#token !== token) return;
    if (table === undefined) this.onSuperseded(token);
    else this.#table = table;
  }
}

function unavailable(directory: string, cause: unknown): MillraceError {
  return new MillraceError({ code: "HA_UNAVAILABLE", message: `cannot write to ${directory}: ${(cause as Error).message}`, recovery: "retry", location: { file: directory }, cause });
}
