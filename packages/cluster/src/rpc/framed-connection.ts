import { MillraceError, type Connection, type ConnectionPeer } from "@millrace/core";

/** Version of what is inside the frames. Bump when two neighbours could no longer understand each other. */
export const RPC_PROTOCOL_VERSION = 1;

/** What both sides send first: eight letters and the protocol version. */
const PREAMBLE = new Uint8Array([..."MILLRACE"].map((letter) => letter.charCodeAt(0)).concat(RPC_PROTOCOL_VERSION));
const HEADER_BYTES = 4;
const MAX_COPIED_BYTES = 16_384;
/** How a record of TLS begins that is a handshake or an alert. */
const TLS_RECORDS = [0x16, 0x15];

/**
 * Frames over a byte connection: a preamble each way, then a length (four bytes, big-endian) before every frame.
 *
 * Nothing is allocated for a frame before its length was found to be within `maxFrameBytes`. Whatever is wrong with the bytes ends this
 * connection, with the error that `onClose` is given, and touches nothing else.
 */
export class FramedConnection {
  /** The frame belongs to the receiver. */
  onFrame: ((frame: Uint8Array) => void) | undefined;
  /** Called once; the error says why, and is missing when this side closed it. */
  onClose: ((error?: MillraceError) => void) | undefined;
  maxFrameBytes: number;
  readonly #connection: Connection;
  readonly #preamble = new Uint8Array(PREAMBLE.length);
  #preambleBytes = 0;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #frame: Uint8Array | undefined;
  #frameBytes = 0;
  #closed = false;

  constructor(connection: Connection, maxFrameBytes: number) {
    this.#connection = connection;
    this.maxFrameBytes = maxFrameBytes;
    connection.write(PREAMBLE);
    connection.onClose = (error) => this.#close(closedError(error));
    connection.onData = (bytes) => this.#receive(bytes);
  }

  get peer(): ConnectionPeer | undefined {
    return this.#connection.peer;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws `RPC_FRAME_TOO_LARGE`, and sends nothing, when the frame is beyond the limit of both sides */
  send(frame: Uint8Array): void {
    if (this.#closed) return;
    if (frame.length > this.maxFrameBytes) throw frameTooLarge(frame.length, this.maxFrameBytes, "is to be sent");
    // Short frames are copied behind their header, since a second write costs more.
    const copied = frame.length <= MAX_COPIED_BYTES;
    const head = new Uint8Array(HEADER_BYTES + (copied ? frame.length : 0));
    new DataView(head.buffer).setUint32(0, frame.length);
    if (copied) head.set(frame, HEADER_BYTES);
    this.#connection.write(head);
    if (!copied) this.#connection.write(frame);
  }

  /** Closes after what was sent; with an error when the other side is to blame. */
  close(error?: MillraceError): void {
    this.#close(error);
  }

  #close(error: MillraceError | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.onData = () => undefined;
    this.#connection.close();
    this.onClose?.(error);
  }

  #receive(bytes: Uint8Array): void {
    let at = this.#takePreamble(bytes);
    while (!this.#closed && at < bytes.length) {
      if (this.#frame === undefined) at = this.#takeHeader(bytes, at);
      else {
        const count = Math.min(this.#frame.length - this.#frameBytes, bytes.length - at);
        this.#frame.set(bytes.subarray(at, at + count), this.#frameBytes);
        this.#frameBytes += count;
        at += count;
      }
      if (this.#frame !== undefined && this.#frameBytes === this.#frame.length) {
        const frame = this.#frame;
        this.#frame = undefined;
        this.onFrame?.(frame);
      }
    }
  }

  #takePreamble(bytes: Uint8Array): number {
    let at = 0;
    while (this.#preambleBytes < PREAMBLE.length && at < bytes.length) {
      const byte = bytes[at++]!;
      const index = this.#preambleBytes;
      this.#preamble[index] = byte;
      this.#preambleBytes++;
      if (byte === PREAMBLE[index]) continue;
      this.#close(index === 0 && TLS_RECORDS.includes(byte) ? tlsNotSpoken() : index < PREAMBLE.length - 1 ? notMillrace() : otherProtocol(byte));
      return bytes.length;
    }
    return at;
  }

  #takeHeader(bytes: Uint8Array, from: number): number {
    let at = from;
    while (this.#headerBytes < HEADER_BYTES && at < bytes.length) this.#header[this.#headerBytes++] = bytes[at++]!;
    if (this.#headerBytes < HEADER_BYTES) return at;
    this.#headerBytes = 0;
    const length = new DataView(this.#header.buffer).getUint32(0);
    if (length > this.maxFrameBytes) this.#close(frameTooLarge(length, this.maxFrameBytes, "was announced"));
    else {
      this.#frame = new Uint8Array(length);
      this.#frameBytes = 0;
    }
    return at;
  }
}

function closedError(cause: Error | undefined): MillraceError {
  return new MillraceError({
    code: "RPC_CONNECTION_LOST", message: `the other side closed the connection${cause === undefined ? "" : `: ${cause.message}`}`, recovery: "restart",
    ...(cause === undefined ? {} : { cause }),
  });
}

function frameTooLarge(bytes: number, limit: number, what: string): MillraceError {
  return new MillraceError({ code: "RPC_FRAME_TOO_LARGE", message: `a frame of ${bytes} bytes ${what}; the limit is ${limit}` });
}

function notMillrace(): MillraceError {
  return new MillraceError({ code: "RPC_NOT_MILLRACE", message: "what came over the connection is not Millrace's protocol", hint: "check that the port is the one of a JobManager (jobmanager.rpc.port)" });
}

function tlsNotSpoken(): MillraceError {
  return new MillraceError({ code: "RPC_NOT_MILLRACE", message: "the other side speaks TLS and this one does not", hint: "set security.ssl.internal.enabled on both sides, or on neither" });
}

function otherProtocol(version: number): MillraceError {
  return new MillraceError({
    code: "RPC_PROTOCOL_VERSION", message: `the other side speaks version ${version} of the protocol, this one version ${RPC_PROTOCOL_VERSION}`,
    hint: "run the same version of Millrace on both sides",
  });
}
