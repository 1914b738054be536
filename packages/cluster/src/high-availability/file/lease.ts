import type { LeaderInformation } from "@millrace/core";
import type { FileLayout } from "./file-layout.js";

/** What a leader shows of itself. */
export interface Lease extends LeaderInformation {
  /** Counts renewals. That it changes is the sign of life; clocks of different machines are never compared. */
  readonly beat: number;
  /** The leader left on purpose: nobody need wait. */
  readonly released: boolean;
}

export async function writeLease(layout: FileLayout, lease: Lease): Promise<void> {
  await layout.writeText(layout.leasePath(lease.fencingToken), JSON.stringify(lease));
}

/** The lease of a token; `undefined` when it wrote none yet. What cannot be read counts as none: a lease only delays a takeover. */
export async function readLease(layout: FileLayout, token: number): Promise<Lease | undefined> {
  const text = await layout.readText(layout.leasePath(token));
  if (text === undefined) return undefined;
  try {
    const lease = JSON.parse(text) as Lease;
    return lease.fencingToken === token && typeof lease.beat === "number" && typeof lease.addresses === "object" ? lease : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Decides from what it is shown whether a lease stands unrenewed for `timeoutMs` of this process's own time.
 *
 * Readings are intervals: a value seen by a read that began at `fromMs` and ended at `toMs`. Only the time between the end of the first
 * read that saw a value and the beginning of the last counts, so a process that was itself asleep does not take its sleep for the leader's.
 */
export class LeaseObserver {
  readonly #timeoutMs: number;
  #seen: string | undefined;
  #seenAtMs = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** True when the lease of the claim `token` has expired or was released. */
  expired(token: number, lease: Lease | undefined, fromMs: number, toMs: number): boolean {
    if (token === 0 || lease?.released === true) return true;
    const seen = `${token}:${lease?.beat ?? "none"}`;
    if (seen !== this.#seen) {
      this.#seen = seen;
      this.#seenAtMs = toMs;
      return false;
    }
    return fromMs - this.#seenAtMs >= this.#timeoutMs;
  }
}
