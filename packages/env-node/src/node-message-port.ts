import { receiveMessageOnPort, type MessagePort, type TransferListItem } from "node:worker_threads";
import { MillraceError, type MessagePortLike } from "@millrace/core";

/**
 * Wraps one end of a `MessageChannel` (or `parentPort`). The port keeps its thread alive until it is closed.
 *
 * `undefined` is not a message: {@link MessagePortLike.receive} could not tell it from silence.
 * A message that this thread cannot deserialise is `MESSAGE_UNREADABLE`, thrown out of the event loop, since a lost message cannot be repaired.
 */
export function nodeMessagePort(port: MessagePort): MessagePortLike {
  return new NodeMessagePort(port);
}

class NodeMessagePort implements MessagePortLike {
  onWake: (() => void) | undefined = undefined;
  readonly #port: MessagePort;
  /** What the event loop delivered before anyone polled; older than anything still in the port. */
  #delivered: unknown[] = [];
  #next = 0;
  #woken = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on("message", (message: unknown) => {
      this.#delivered.push(message);
      this.#wake();
    });
    port.on("messageerror", (cause: Error) => {
      throw new MillraceError({
        code: "MESSAGE_UNREADABLE", message: "a message from another thread could not be deserialised", recovery: "restart", cause,
        hint: "this is a bug in Millrace, please report it",
      });
    });
  }

  #wake(): void {
    if (this.#woken) return;
    this.#woken = true;
    this.onWake?.();
  }

  post(message: unknown, transfer?: readonly ArrayBuffer[]): void {
    this.#port.postMessage(message, transfer as readonly TransferListItem[] | undefined);
  }

  receive(): unknown {
    if (this.#next < this.#delivered.length) {
      const message = this.#delivered[this.#next];
      this.#delivered[this.#next++] = undefined;
      return message;
    }
    if (this.#next > 0) {
      this.#delivered = [];
      this.#next = 0;
    }
    const received = receiveMessageOnPort(this.#port) as { message: unknown } | undefined;
    if (received === undefined) this.#woken = false;
    return received?.message;
  }

  close(): void {
    this.onWake = undefined;
    this.#port.close();
  }
}
