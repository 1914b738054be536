import { MillraceError } from "../errors/millrace-error.js";

/** A stored value; its version grows with each change of the key. */
export interface StoredValue {
  readonly value: string;
  readonly version: number;
}

/** One change of a commit. `expect` makes the whole commit fail unless the key has this version, or is absent. */
export type StoreChange =
  | { readonly type: "put"; readonly key: string; readonly value: string; readonly expect?: number | "absent" }
  | { readonly type: "delete"; readonly key: string; readonly expect?: number };

/**
 * Small values by key that only the leader may change. Keys are `/`-separated names of letters, digits, `.`, `_` and `-`; a key is either
 * a value or the parent of other keys. A value has at most {@link MAX_STORED_BYTES} bytes: large data goes to files, and a pointer in here.
 *
 * Contract, of every implementation:
 * - A commit is atomic and durable when its promise resolves, and seen by every later leader.
 * - A commit under a token that is not the newest granted one has no effect that a newer leader could see after its grant, and rejects with
 *   `LEADERSHIP_LOST`.
 * - When a commit rejects with `LEADERSHIP_LOST` or `HA_UNAVAILABLE` while the leader changes or the connection breaks, it may have taken
 *   effect before the change. So a leader acts on a commit only after it resolved, and treats the rest as if it may have happened.
 * - The leader reads its own commits. A process that no longer leads may read old values: only a commit proves leadership.
 */
export interface FencedStore {
  /** @throws `HA_UNAVAILABLE` */
  get(key: string): Promise<StoredValue | undefined>;
  /** Names of the direct children of a key, sorted; `""` is the root. May still name a parent whose last child was deleted. @throws `HA_UNAVAILABLE` */
  list(key: string): Promise<string[]>;
  /**
   * Applies all changes or none, in order. Deleting what is absent, without `expect`, is fine.
   * @throws `LEADERSHIP_LOST`, `HA_CONFLICT` (an `expect` does not hold), `HA_UNAVAILABLE` (outcome unknown)
   */
  commit(fencingToken: number, changes: readonly StoreChange[]): Promise<void>;
}

/** The largest value a {@link FencedStore} takes: well below ZooKeeper's limit of 1 MiB. */
export const MAX_STORED_BYTES = 256 * 1024;

const KEY = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;

/** Checks keys and sizes, for implementations. @throws `HA_KEY_INVALID`, `HA_VALUE_TOO_LARGE` */
export function checkChanges(changes: readonly StoreChange[]): void {
  for (const change of changes) {
    if (!isStoreKey(change.key)) throw new MillraceError({ code: "HA_KEY_INVALID", message: `"${change.key}" is not a key of the high-availability store` });
    if (change.type === "put" && change.value.length > MAX_STORED_BYTES) {
      throw new MillraceError({ code: "HA_VALUE_TOO_LARGE", message: `the value of "${change.key}" has ${change.value.length} characters; the high-availability store takes ${MAX_STORED_BYTES}` });
    }
  }
}

/** Whether a text is a key: no empty, `.` or `..` names. */
export function isStoreKey(key: string): boolean {
  return KEY.test(key) && !key.split("/").some((name) => name === "." || name === "..");
}

/** A write, or a call, under a token that is not the newest. */
export function leadershipLost(fencingToken: number, why: string, cause?: unknown): MillraceError {
  return new MillraceError({ code: "LEADERSHIP_LOST", message: `the leadership with token ${fencingToken} is lost: ${why}`, hint: "another JobManager leads now; this one waits to be elected again", cause });
}

export function storeConflict(key: string, expected: number | "absent", found: number | "absent"): MillraceError {
  return new MillraceError({ code: "HA_CONFLICT", message: `"${key}" changed meanwhile: expected ${versionText(expected)}, found ${versionText(found)}` });
}

function versionText(version: number | "absent"): string {
  return version === "absent" ? "nothing" : `version ${version}`;
}
