import type { BufferPool } from "../codec/buffer-pool.js";

/**
 * One end of a two-way channel between threads, in the shape both `worker_threads.MessagePort` and the in-thread queue can offer.
 *
 * Order is kept. `receive` polls without leaving the current turn; `onWake` is called (at most once until the queue was found empty again)
 * when something arrives while nobody polls.
 */
export interface MessagePortLike {
  post(message: unknown, transfer?: readonly ArrayBuffer[]): void;
  /** The next message, or `undefined` when there is none. */
  receive(): unknown;
  onWake: (() => void) | undefined;
  /** Sends what was gathered of a turn's messages; without it, they leave when the turn is over at the latest. */
  flush?(): void;
  /** For ports that copy: where buffers of received messages come from, and go when they were sent. */
  buffers?: BufferPool | undefined;
  close(): void;
}
