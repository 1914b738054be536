import type { BufferPool, MessagePortLike } from "@millrace/core";
import { Barrier, EndOfChannel, EndOfInput, type ChannelElement, type ChannelEvent } from "./channel-element.js";
import type { CheckpointOptions } from "../protocol/deployment.js";
import type { RemoteTransport } from "./remote-transport.js";
import { SocketPort } from "./socket-port.js";

/** What travels between two slots. */
type PeerMessage =
  | { readonly kind: "buffer"; readonly channel: number; readonly buffer: ArrayBuffer; readonly backlog: number }
  | { readonly kind: "barrier"; readonly channel: number; readonly checkpointId: number; readonly timestampMs: number; readonly options: CheckpointOptions }
  /** End of input, or of the channel. */
  | { readonly kind: "end" | "close"; readonly channel: number }
  /** Pairs of channel and credits. */
  | { readonly kind: "credits"; readonly credits: readonly number[] }
  /** Pairs of channel and bytes that its buffers should have. */
  | { readonly kind: "bufferSizes"; readonly sizes: readonly number[] };

/** Hands received elements to the channel of that number, whether its task is there already or not. */
export type ReceiveElement = (channelId: number, element: ChannelElement, backlog: number) => void;

/** All channels between this slot and one other, multiplexed over one port. */
export class PeerConnection {
  /** The other slot is in another process. */
  readonly overSocket: boolean;
  readonly #port: MessagePortLike;
  readonly #receive: ReceiveElement;
  readonly #senders = new Map<number, RemoteTransport>();
  readonly #credits = new Map<number, number>();
  /** Credits that came before their sender was made. */
  readonly #earlyCredits = new Map<number, number>();
  /** To be announced to senders over there. */
  readonly #bufferSizes = new Map<number, number>();
  /** Sizes that came before their sender was made. */
  readonly #earlyBufferSizes = new Map<number, number>();

  /** @param buffers what was received and read, to be filled and sent */
  constructor(port: MessagePortLike, receive: ReceiveElement, wake: () => void, buffers?: BufferPool) {
    this.#port = port;
    this.overSocket = port instanceof SocketPort;
    this.#receive = receive;
    port.buffers = buffers;
    port.onWake = wake;
  }

  registerSender(sender: RemoteTransport): void {
    this.#senders.set(sender.channelId, sender);
    sender.bufferSize = this.#earlyBufferSizes.get(sender.channelId) ?? sender.bufferSize;
    const early = this.#earlyCredits.get(sender.channelId);
    if (early === undefined) return;
    this.#earlyCredits.delete(sender.channelId);
    sender.addCredits(early);
  }

  postBuffer(channel: number, buffer: ArrayBuffer, backlog: number): void {
    this.#port.post({ kind: "buffer", channel, buffer, backlog } satisfies PeerMessage, [buffer]);
  }

  postEvent(channel: number, event: ChannelEvent): void {
    const message: PeerMessage = event instanceof Barrier
      ? { kind: "barrier", channel, checkpointId: event.checkpointId, timestampMs: event.timestampMs, options: event.options }
      : { kind: event instanceof EndOfInput ? "end" : "close", channel };
    this.#port.post(message);
  }

  /** Collected until `flush`, so that one message carries the credits of a whole turn. */
  returnCredits(channel: number, credits: number): void {
    this.#credits.set(channel, (this.#credits.get(channel) ?? 0) + credits);
  }

  /** Collected until `flush`, too; the last one counts. */
  announceBufferSize(channel: number, bytes: number): void {
    this.#bufferSizes.set(channel, bytes);
  }

  /** Sends the credits of a turn, and whatever else the port has gathered. */
  flush(): void {
    if (this.#credits.size > 0) {
      this.#port.post({ kind: "credits", credits: [...this.#credits].flat() } satisfies PeerMessage);
      this.#credits.clear();
    }
    if (this.#bufferSizes.size > 0) {
      this.#port.post({ kind: "bufferSizes", sizes: [...this.#bufferSizes].flat() } satisfies PeerMessage);
      this.#bufferSizes.clear();
    }
    this.#port.flush?.();
  }

  /** Takes everything that has arrived. */
  drain(): void {
    for (let message = this.#port.receive(); message !== undefined; message = this.#port.receive()) this.#handle(message as PeerMessage);
  }

  close(): void {
    this.#port.onWake = undefined;
    this.#port.close();
  }

  #handle(message: PeerMessage): void {
    switch (message.kind) {
      case "buffer":
        return this.#receive(message.channel, message.buffer, message.backlog);
      case "barrier":
        return this.#receive(message.channel, new Barrier(message.checkpointId, message.timestampMs, message.options), 0);
      case "end":
        return this.#receive(message.channel, EndOfInput.instance, 0);
      case "close":
        return this.#receive(message.channel, EndOfChannel.instance, 0);
      case "credits":
        for (let i = 0; i < message.credits.length; i += 2) this.#addCredits(message.credits[i]!, message.credits[i + 1]!);
        return;
      case "bufferSizes":
        for (let i = 0; i < message.sizes.length; i += 2) this.#setBufferSize(message.sizes[i]!, message.sizes[i + 1]!);
    }
  }

  #setBufferSize(channel: number, bytes: number): void {
    const sender = this.#senders.get(channel);
    if (sender === undefined) this.#earlyBufferSizes.set(channel, bytes);
    else sender.bufferSize = bytes;
  }

  #addCredits(channel: number, credits: number): void {
    const sender = this.#senders.get(channel);
    if (sender === undefined) this.#earlyCredits.set(channel, (this.#earlyCredits.get(channel) ?? 0) + credits);
    else sender.addCredits(credits);
  }
}
