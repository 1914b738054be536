import { Deque } from "../exchange/deque.js";
import type { InputChannel } from "../exchange/input-channel.js";

/** All channels a task reads, taken in turn: one batch each, so that none starves. */
export class InputGate {
  readonly channels: readonly InputChannel[];
  readonly #ready = new Deque<InputChannel>();
  readonly #wake: () => void;

  constructor(channels: readonly InputChannel[], wake: () => void) {
    this.channels = channels;
    this.#wake = wake;
    channels.forEach((channel, index) => {
      channel.index = index;
      channel.onReadable = (readable) => this.offer(readable);
      this.offer(channel);
    });
  }

  /** Queues a channel when it has something to read. */
  offer(channel: InputChannel): void {
    if (channel.enqueued || !channel.readable) return;
    channel.enqueued = true;
    this.#ready.push(channel);
    this.#wake();
  }

  /** The channel whose turn it is, among the inputs in `selectable` (all when `undefined`). The caller polls it once and offers it again. */
  next(selectable: readonly number[] | undefined): InputChannel | undefined {
    for (let left = this.#ready.length; left > 0; left--) {
      const channel = this.#ready.shift()!;
      if (!channel.readable) {
        channel.enqueued = false;
        continue;
      }
      if (selectable !== undefined && !selectable.includes(channel.inputIndex)) {
        this.#ready.push(channel);
        continue;
      }
      channel.enqueued = false;
      return channel;
    }
    return undefined;
  }
}
