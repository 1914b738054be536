import { MillraceError, decodeValue, encodeValue, type BufferPool, type Connection, type MessagePortLike } from "@millrace/core";

/** Far above any batch; a longer one means that the other side is not what it says it is. */
const MAX_BODY_BYTES = 1024 * 1024 * 1024;
const MAX_HEAD_BYTES = 16 * 1024 * 1024;
const LENGTHS_BYTES = 8;
/** Bodies up to this are copied behind their head, since a second write costs more. */
const MAX_COPIED_BYTES = 4096;

/** Of a body that lacks less, the rest is read along with what follows it. */
const LEAST_DIRECT_BYTES = 4096;

/** A message without its buffer, and the name under which the buffer goes back in. */
interface Head {
  readonly message: Readonly<Record<string, unknown>>;
  readonly bufferKey: string | undefined;
}

/**
 * A message port over a TCP connection that this thread owns.
 *
 * A message is a frame: the lengths of head and body (four bytes each, big-endian), the head in core's value codec, and as body the buffer
 * of the message, as it is. A buffer that is sent is written from where it lies, and one that arrives is read into where it stays, but for its beginning.
 * What is posted before the connection is there waits here, and what it cannot take yet, in it; credits bound how much that can be.
 */
export class SocketPort implements MessagePortLike {
  onWake: (() => void) | undefined = undefined;
  buffers: BufferPool | undefined = undefined;
  readonly #onLost: (error: MillraceError) => void;
  readonly #reader: FrameReader;
  #connection: Connection | undefined;
  /** What was posted before there was a connection. */
  #unsent: { readonly bytes: Uint8Array; readonly sent: (() => void) | undefined }[] = [];
  #received: unknown[] = [];
  #next = 0;
  #woken = false;
  #closed = false;

  /** @param onLost called once when the connection cannot be made, breaks, or carries what it should not: `PEER_CONNECTION_LOST` */
  constructor(onLost: (error: MillraceError) => void) {
    this.#onLost = onLost;
    this.#reader = new FrameReader((head, body) => this.#take(head, body), (bytes) => this.buffers?.takeExactly(bytes));
  }

  /** The connection is there, and its handshake is over. */
  attach(connection: Connection): void {
    if (this.#closed) return connection.close();
    this.#connection = connection;
    connection.onClose = (error) => this.fail(error);
    connection.readInto = () => this.#reader.target();
    connection.onData = (bytes) => {
      try {
        this.#reader.receive(bytes);
      } catch (error) {
        this.fail(error as Error);
      }
      this.#wake();
    };
    for (const { bytes, sent } of this.#unsent.splice(0)) connection.write(bytes, sent);
    connection.flush?.();
  }

  /** There will be no connection any more. */
  fail(cause: Error | undefined): void {
    if (this.#closed) return;
    this.close();
    this.#onLost(new MillraceError({
      code: "PEER_CONNECTION_LOST", recovery: "restart", message: `the connection to a slot of another TaskManager was lost${cause === undefined ? "" : `: ${cause.message}`}`,
      ...(cause === undefined ? {} : { cause }),
    }));
  }

  post(message: unknown, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#closed) return;
    const [buffer] = transfer;
    const bufferKey = buffer === undefined ? undefined : Object.keys(message as object).find((key) => (message as Record<string, unknown>)[key] === buffer);
    const head = encodeValue({ message: bufferKey === undefined ? message : { ...(message as object), [bufferKey]: null }, bufferKey });
    const bodyBytes = buffer?.byteLength ?? 0;
    const copied = bodyBytes <= MAX_COPIED_BYTES ? bodyBytes : 0;
    const frame = new Uint8Array(LENGTHS_BYTES + head.length + copied);
    const lengths = new DataView(frame.buffer);
    lengths.setUint32(0, head.length);
    lengths.setUint32(4, bodyBytes);
    frame.set(head, LENGTHS_BYTES);
    if (copied > 0) frame.set(new Uint8Array(buffer!), LENGTHS_BYTES + head.length);
    this.#write(frame, undefined);
    const { buffers } = this;
    if (copied < bodyBytes) this.#write(new Uint8Array(buffer!), buffers && (() => buffers.give(buffer!)));
  }

  flush(): void {
    this.#connection?.flush?.();
  }

  receive(): unknown {
    if (this.#next < this.#received.length) {
      const message = this.#received[this.#next];
      this.#received[this.#next++] = undefined;
      return message;
    }
    this.#received = [];
    this.#next = 0;
    this.#woken = false;
    return undefined;
  }

  close(): void {
    this.#closed = true;
    this.onWake = undefined;
    this.#unsent = [];
    const connection = this.#connection;
    if (connection === undefined) return;
    connection.onClose = undefined;
    connection.close();
  }

  #write(bytes: Uint8Array, sent: (() => void) | undefined): void {
    if (this.#connection === undefined) this.#unsent.push({ bytes, sent });
    else this.#connection.write(bytes, sent);
  }

  #take(head: Uint8Array, body: ArrayBuffer): void {
    const { message, bufferKey } = decodeValue(head) as Head;
    this.#received.push(bufferKey === undefined ? message : { ...message, [bufferKey]: body });
  }

  #wake(): void {
    if (this.#woken || this.#next === this.#received.length) return;
    this.#woken = true;
    this.onWake?.();
  }
}

/** Puts frames together from the chunks of a connection. Allocates nothing for lengths beyond the limits. */
class FrameReader {
  readonly #take: (head: Uint8Array, body: ArrayBuffer) => void;
  /** A buffer of this size that can be filled, if there is one. */
  readonly #reuse: (bytes: number) => ArrayBuffer | undefined;
  readonly #lengths = new Uint8Array(LENGTHS_BYTES);
  #head: Uint8Array | undefined;
  #body: Uint8Array<ArrayBuffer> | undefined;
  #filled = 0;

  constructor(take: (head: Uint8Array, body: ArrayBuffer) => void, reuse: (bytes: number) => ArrayBuffer | undefined) {
    this.#take = take;
    this.#reuse = reuse;
  }

  /** Where the rest of a body goes that has begun. */
  target(): Uint8Array | undefined {
    const [head, body] = [this.#head, this.#body];
    if (head === undefined || this.#filled < head.length) return undefined;
    return body!.length - (this.#filled - head.length) < LEAST_DIRECT_BYTES ? undefined : body!.subarray(this.#filled - head.length);
  }

  receive(chunk: Uint8Array): void {
    if (this.#body !== undefined && chunk.buffer === this.#body.buffer) return this.#received(chunk.length);
    let at = 0;
    for (;;) {
      const target = this.#head === undefined ? this.#lengths : this.#filled < this.#head.length ? this.#head : this.#body!;
      const before = target === this.#body ? this.#head!.length : 0;
      const count = Math.min(target.length - (this.#filled - before), chunk.length - at);
      target.set(count === chunk.length ? chunk : chunk.subarray(at, at + count), this.#filled - before);
      this.#filled += count;
      at += count;
      if (this.#head === undefined) {
        if (this.#filled < LENGTHS_BYTES) return;
        this.#begin();
      } else if (!this.#complete() && at === chunk.length) return;
    }
  }

  /** Bytes of the body are where they belong. */
  #received(bytes: number): void {
    this.#filled += bytes;
    this.#complete();
  }

  /** Hands a frame on that is whole. @returns whether it was */
  #complete(): boolean {
    const [head, body] = [this.#head!, this.#body!];
    if (this.#filled < head.length + body.length) return false;
    this.#head = this.#body = undefined;
    this.#filled = 0;
    this.#take(head, body.buffer);
    return true;
  }

  #begin(): void {
    const lengths = new DataView(this.#lengths.buffer);
    const [headBytes, bodyBytes] = [lengths.getUint32(0), lengths.getUint32(4)];
    if (headBytes === 0 || headBytes > MAX_HEAD_BYTES || bodyBytes > MAX_BODY_BYTES) {
      throw new MillraceError({ code: "PEER_FRAME_INVALID", message: `a frame of ${headBytes} and ${bodyBytes} bytes was announced`, recovery: "restart" });
    }
    this.#head = new Uint8Array(headBytes);
    this.#body = new Uint8Array(this.#reuse(bodyBytes) ?? new ArrayBuffer(bodyBytes));
    this.#filled = 0;
  }
}
