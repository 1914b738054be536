import type { Socket } from "node:net";

/** What a link does to the bytes of one direction. */
export interface LinkCondition {
  /** Nothing passes, not even the news that an end is closed. */
  readonly held: boolean;
  readonly delayMs: number;
}

type Item = { readonly dueMs: number } & ({ readonly kind: "bytes"; readonly bytes: Buffer } | { readonly kind: "end" } | { readonly kind: "reset" });

/** How a connection is torn. */
export interface Tear {
  /** Bytes that still pass; what follows in the same piece does not. */
  readonly afterBytes: number;
  /** Reset, rather than an orderly end behind half a frame. */
  readonly abrupt: boolean;
}

/** What is done about bytes that are about to pass: nothing, the end of the connection instead, or a wait before. */
export type Interception = "pass" | "reset" | Promise<void>;

/** What a pipe does besides passing on. */
export interface PipeHooks {
  readonly onBytes: (count: number) => void;
  readonly intercept: (bytes: Buffer) => Interception;
}

/** One direction of a connection: what comes in at one socket goes out at the other, in order, late, or never. */
export class Pipe {
  readonly #source: Socket;
  readonly #target: Socket;
  readonly #condition: () => LinkCondition;
  readonly #hooks: PipeHooks;
  readonly #queue: Item[] = [];
  #timer: NodeJS.Timeout | undefined;
  #tear: Tear | undefined;
  #over = false;
  /** What is first in the queue waits for somebody. */
  #waits = false;
  /** It was intercepted before. */
  #asked: Item | undefined;

  constructor(source: Socket, target: Socket, condition: () => LinkCondition, hooks: PipeHooks) {
    this.#source = source;
    this.#target = target;
    this.#condition = condition;
    this.#hooks = hooks;
    source.on("data", (bytes: Buffer) => this.#take({ kind: "bytes", bytes }));
    source.on("end", () => this.#take({ kind: "end" }));
    source.on("error", () => this.#take({ kind: "reset" }));
    // Without an error both ends were told already.
    source.on("close", (hadError) => hadError && this.#take({ kind: "reset" }));
    target.on("drain", () => this.pump());
  }

  /** Tears the connection as soon as so much more has passed. */
  tearLater(tear: Tear): void {
    this.#tear = tear;
  }

  /** Both ends hear of it at once. */
  reset(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    for (const socket of [this.#source, this.#target]) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #take(item: { readonly kind: "bytes"; readonly bytes: Buffer } | { readonly kind: "end" | "reset" }): void {
    if (this.#over) return;
    this.#queue.push({ ...item, dueMs: performance.now() + this.#condition().delayMs } as Item);
    this.pump();
  }

  /** Passes on what may pass now. Called again when the condition of the link changes. */
  pump(): void {
    clearTimeout(this.#timer);
    while (!this.#over) {
      const [item] = this.#queue;
      const { held } = this.#condition();
      if (held || item === undefined || this.#waits) break;
      const waitMs = item.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.pump(), waitMs);
        break;
      }
      if (this.#target.writableNeedDrain) break;
      if (item.kind === "bytes" && !this.#mayPass(item)) continue;
      this.#queue.shift();
      if (item.kind === "reset") return this.reset();
      if (item.kind === "end") this.#target.end();
      else this.#pass(item.bytes);
    }
    // What is not passed on is not read either: the sender feels it.
    if (this.#queue.length > 0) this.#source.pause();
    else if (this.#source.isPaused()) this.#source.resume();
  }

  #mayPass(item: Item & { readonly kind: "bytes" }): boolean {
    if (this.#asked === item) return true;
    this.#asked = item;
    const interception = this.#hooks.intercept(item.bytes);
    if (interception === "pass") return true;
    if (interception === "reset") this.reset();
    else {
      this.#waits = true;
      void interception.finally(() => {
        this.#waits = false;
        this.pump();
      });
    }
    return false;
  }

  #pass(bytes: Buffer): void {
    const tear = this.#tear;
    this.#hooks.onBytes(bytes.length);
    if (tear === undefined || bytes.length < tear.afterBytes) {
      if (tear !== undefined) this.#tear = { ...tear, afterBytes: tear.afterBytes - bytes.length };
      if (!this.#target.destroyed) this.#target.write(bytes);
      return;
    }
    this.#over = true;
    this.#queue.length = 0;
    const part = bytes.subarray(0, tear.afterBytes);
    if (tear.abrupt) this.#target.write(part, () => this.#target.resetAndDestroy());
    else this.#target.end(part);
    this.#source.resetAndDestroy();
  }
}
