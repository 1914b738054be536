import { isMillraceError, leadershipLost, type Cancellable, type Election, type ElectionListener, type Env } from "@millrace/core";
import type { FileLayout } from "./file-layout.js";
import type { FileStore } from "./file-store.js";
import { newestState, writeState } from "./leader-state.js";
import { LeaseObserver, readLease, writeLease } from "./lease.js";

export interface FileElectionInit {
  readonly env: Pick<Env, "clock" | "log">;
  readonly layout: FileLayout;
  readonly store: FileStore;
  readonly contender: string;
  readonly listener: ElectionListener;
  readonly leaseTimeoutMs: number;
  readonly leaseIntervalMs: number;
}

interface Leading {
  readonly token: number;
  beat: number;
  addresses: Readonly<Record<string, string>>;
  /** Monotonic time at which the last renewal that succeeded began. */
  renewedMs: number;
}

/**
 * One process's part in an election on a shared directory.
 *
 * Others take over when the lease has not changed for the lease timeout of *their* clock. The leader gives up when it could not renew for
 * the same time of its own. That is for liveness; that two leaders cannot both write is the store's doing, whatever the clocks say.
 */
export class FileElection implements Election {
  readonly #init: FileElectionInit;
  readonly #observer: LeaseObserver;
  #leading: Leading | undefined;
  #timer: Cancellable | undefined;
  #watchdog: Cancellable | undefined;
  #closed = false;
  #renewing: Promise<void> = Promise.resolve();
  #stepping: Promise<void> = Promise.resolve();
  #lastError = "";

  constructor(init: FileElectionInit) {
    this.#init = init;
    this.#observer = new LeaseObserver(init.leaseTimeoutMs);
    init.store.onSuperseded = (token) => this.#lose(token, "another JobManager claimed the leadership");
    this.#stepIn(0);
  }

  async publish(fencingToken: number, addresses: Readonly<Record<string, string>>): Promise<void> {
    const leading = this.#leading;
    if (leading?.token !== fencingToken) throw leadershipLost(fencingToken, "this process does not lead under it");
    leading.addresses = addresses;
    await this.#renew(leading);
    if (this.#leading !== leading) throw leadershipLost(fencingToken, "another JobManager claimed the leadership");
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    await this.#stepping;
    const leading = this.#leading;
    this.#end();
    if (leading === undefined) return;
    await this.#renewing;
    const { token, addresses } = leading;
    await writeLease(this.#init.layout, { fencingToken: token, addresses, beat: leading.beat + 1, released: true }).catch(() => undefined);
  }

  #stepIn(delayMs: number): void {
    if (this.#closed) return;
    this.#timer = this.#init.env.clock.setTimer(delayMs, () => {
      this.#stepping = this.#step().then(() => this.#stepIn(this.#init.leaseIntervalMs));
    });
  }

  async #step(): Promise<void> {
    try {
      if (this.#leading !== undefined) await this.#renew(this.#leading);
      else await this.#observe();
      this.#lastError = "";
    } catch (error) {
      const { message } = error as Error;
      // A disk that stays broken is told once.
      if (message !== this.#lastError) this.#init.env.log.write("warn", `the election in ${this.#init.layout.directory} cannot go on: ${message}`);
      if (message !== this.#lastError && isMillraceError(error) && !this.#closed) this.#init.listener.failed(error);
      this.#lastError = message;
    }
  }

  async #observe(): Promise<void> {
    const { layout } = this.#init;
    const fromMs = this.#nowMs();
    const token = await layout.highestClaim();
    const lease = token === 0 ? undefined : await readLease(layout, token);
    if (!this.#observer.expired(token, lease, fromMs, this.#nowMs()) || this.#closed) return;
    await this.#claim(token + 1);
  }

  async #claim(token: number): Promise<void> {
    const { layout, contender, env, listener } = this.#init;
    if (!(await layout.createExclusive(layout.claimPath(token), contender))) return;
    const isNewest = async (): Promise<boolean> => (await layout.highestClaim()) === token;
    // A process that slept before it claimed may have taken a name that newer leaders had used and cleared.
    if (!(await isNewest())) return;
    const table = await newestState(layout, token, token);
    if (table === undefined) return;
    await writeState(layout, token, table);
    const renewedMs = this.#nowMs();
    await writeLease(layout, { fencingToken: token, addresses: {}, beat: 1, released: false });
    if (!(await isNewest())) return;
    if (this.#closed) {
      await writeLease(layout, { fencingToken: token, addresses: {}, beat: 2, released: true });
      return;
    }
    this.#leading = { token, beat: 1, addresses: {}, renewedMs };
    this.#init.store.open(token, table);
    this.#watch(this.#leading);
    env.log.write("info", `${contender} leads, with fencing token ${token}`);
    listener.granted(token);
    await layout.deleteBefore(token);
  }

  /** Renews the lease, one renewal after the other, and looks whether somebody else has claimed. */
  async #renew(leading: Leading): Promise<void> {
    const renewal = this.#renewing.then(async () => {
      if (this.#leading !== leading) return;
      const beganMs = this.#nowMs();
      // A process that was stopped for long does not pretend to have been there.
      if (beganMs - leading.renewedMs >= this.#init.leaseTimeoutMs) return this.#lose(leading.token, "the lease could not be renewed in time");
      leading.beat++;
      const { token, beat, addresses } = leading;
      await writeLease(this.#init.layout, { fencingToken: token, addresses, beat, released: false });
      if ((await this.#init.layout.highestClaim()) !== token) return this.#lose(token, "another JobManager claimed the leadership");
      leading.renewedMs = beganMs;
    });
    this.#renewing = renewal.catch(() => undefined);
    return renewal;
  }

  /** Gives up by itself when renewals hang. */
  #watch(leading: Leading): void {
    const dueMs = leading.renewedMs + this.#init.leaseTimeoutMs;
    this.#watchdog = this.#init.env.clock.setTimer(dueMs - this.#nowMs(), () => {
      if (this.#leading !== leading) return;
      if (this.#nowMs() - leading.renewedMs >= this.#init.leaseTimeoutMs) this.#lose(leading.token, "the lease could not be renewed in time");
      else this.#watch(leading);
    });
  }

  #lose(token: number, why: string): void {
    if (this.#leading?.token !== token) return;
    this.#end();
    if (this.#closed) return;
    this.#init.env.log.write("warn", `${this.#init.contender} no longer leads with fencing token ${token}: ${why}`);
    this.#init.env.clock.yieldThen(() => this.#init.listener.revoked());
  }

  #end(): void {
    this.#leading = undefined;
    this.#init.store.shut();
    this.#watchdog?.cancel();
  }

  #nowMs(): number {
    return this.#init.env.clock.monotonicMs();
  }
}
