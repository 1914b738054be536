import { BatchDecoder, BatchEncoder, BufferPool, type MessagePortLike } from "@millrace/core";
import { InputChannel, type BufferDecoder } from "../exchange/input-channel.js";
import { LocalTransport, type RoundTrip } from "../exchange/local-transport.js";
import { MOST_BUFFER_BYTES, type ChannelTransport, type OutputPressure } from "../exchange/output-channel.js";
import { RecordSizes } from "../exchange/record-sizes.js";
import { PeerConnection } from "../exchange/peer-connection.js";
import { RemoteCredit, RemoteTransport } from "../exchange/remote-transport.js";

/** Extra credits a channel may have out while its sender reports a backlog. */
const FLOATING_CREDITS = 8;

/** How records are treated that stay in their slot. */
export interface LocalEdges {
  /** They go through the codec, too. */
  readonly roundTrip: boolean;
  /** Whether all are checked for what the codec cannot carry, or samples. */
  readonly checkEveryRecord: boolean;
  /** Receivers want to know how large they would be, in bytes. */
  readonly debloated: boolean;
}

/** What the channels into a slot may keep of records on their way, and what they keep. */
export interface NetworkUsage {
  /** Buffers that their senders may have on the way at once: the credits of all channels that are open, with those for a backlog. */
  readonly segments: number;
  /** Of those, the ones that wait to be read. */
  readonly usedSegments: number;
  /** Most that all of them can take. */
  readonly totalBytes: number;
  /** What waits takes about so much; of records that stay in their slot it is not known unless buffers are debloated. */
  readonly usedBytes: number;
}

/** All channels of one job in one slot, by number, and the connections to the other slots. */
export class SlotChannels {
  readonly #credits: number;
  readonly #local: LocalEdges;
  readonly #wake: () => void;
  readonly #inputs = new Map<number, InputChannel>();
  readonly #remoteCredits = new Map<number, RemoteCredit>();
  readonly #peers = new Map<number, PeerConnection>();
  /** What was received and read, to be filled and sent. */
  readonly #buffers = new BufferPool();

  /** @param credits buffers on the way per channel. @param local what happens to batches between tasks of this slot. @param wake something arrived. */
  constructor(credits: number, local: LocalEdges, wake: () => void) {
    this.#credits = credits;
    this.#local = local;
    this.#wake = wake;
  }

  connect(peerSlot: number, port: MessagePortLike): void {
    const connection: PeerConnection = new PeerConnection(
      port,
      (channelId, element, backlog) => {
        const channel = this.#remoteInput(channelId, connection);
        this.#remoteCredits.get(channelId)!.received(backlog);
        channel.receive(element);
      },
      this.#wake, this.#buffers,
    );
    this.#peers.set(peerSlot, connection);
    connection.drain();
  }

  /** The receiving end of a channel; made at first use by whoever comes first, its task or its data. */
  input(channelId: number, senderSlot: number, ownSlot: number): InputChannel {
    return senderSlot === ownSlot ? this.#channel(channelId) : this.#remoteInput(channelId, this.#peer(senderSlot));
  }

  /** The sending end of a channel. What a blocking exchange keeps is encoded, since it may be much. */
  output(channelId: number, receiverSlot: number, ownSlot: number, blocking: boolean, pressure: OutputPressure): ChannelTransport {
    if (receiverSlot !== ownSlot) {
      // A receiver that keeps everything should keep no padding.
      const encoder = blocking ? new BatchEncoder() : new BatchEncoder({ buffers: this.#buffers });
      return new RemoteTransport(channelId, this.#peer(receiverSlot), encoder, this.#credits, pressure);
    }
    const { roundTrip, checkEveryRecord, debloated } = this.#local;
    return new LocalTransport(this.#channel(channelId), this.#credits, pressure, {
      roundTrip: roundTrip || blocking ? newRoundTrip() : undefined, checkEveryRecord, sizes: debloated && !blocking ? new RecordSizes() : undefined,
    });
  }

  /** Whether what goes to a slot leaves this process. */
  leavesProcess(receiverSlot: number, ownSlot: number): boolean {
    return receiverSlot !== ownSlot && this.#peer(receiverSlot).overSocket;
  }

  /** Without blocking exchanges, which keep everything, and have memory of their own. */
  usage(): NetworkUsage {
    let segments = 0;
    let usedSegments = 0;
    let usedBytes = 0;
    for (const { id, closed, held, batches, lastBytes } of this.#inputs.values()) {
      if (closed || held !== undefined) continue;
      segments += this.#credits + (this.#remoteCredits.has(id) ? FLOATING_CREDITS : 0);
      usedSegments += batches;
      usedBytes += batches * lastBytes;
    }
    return { segments, usedSegments, totalBytes: segments * MOST_BUFFER_BYTES, usedBytes: Math.round(usedBytes) };
  }

  drain(): void {
    for (const peer of this.#peers.values()) peer.drain();
  }

  flush(): void {
    for (const peer of this.#peers.values()) peer.flush();
  }

  close(): void {
    for (const peer of this.#peers.values()) peer.close();
    this.#peers.clear();
    this.#inputs.clear();
  }

  #channel(channelId: number): InputChannel {
    let channel = this.#inputs.get(channelId);
    if (channel === undefined) this.#inputs.set(channelId, (channel = new InputChannel(channelId)));
    return channel;
  }

  #remoteInput(channelId: number, connection: PeerConnection): InputChannel {
    const channel = this.#channel(channelId);
    if (channel.credit === undefined) {
      const credit = new RemoteCredit(channelId, connection, FLOATING_CREDITS);
      this.#remoteCredits.set(channelId, credit);
      channel.credit = credit;
      channel.decoder = recyclingDecoder(this.#buffers);
    }
    return channel;
  }

  #peer(slot: number): PeerConnection {
    const peer = this.#peers.get(slot);
    if (peer === undefined) throw new Error(`slot ${slot} was not connected before its tasks were deployed`);
    return peer;
  }
}

function newRoundTrip(): RoundTrip {
  const encoder = new BatchEncoder();
  const decoder = new BatchDecoder();
  return { encode: (batch) => encoder.encode(batch), decode: (buffer) => decoder.decode(buffer) };
}

function recyclingDecoder(buffers: BufferPool): BufferDecoder {
  const decoder = new BatchDecoder();
  return {
    decode(buffer) {
      const batch = decoder.decode(buffer);
      buffers.give(buffer);
      return batch;
    },
  };
}
