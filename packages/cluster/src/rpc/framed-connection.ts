import { MillraceError, type Connection, type ConnectionPeer } from "@millrace/core";

/**
 * Version of what is inside the frames, of slot commands and events, and of what slots send each other. Each release understands this one and the one
 * before, so that the processes of a cluster can be replaced one after the other; a change raises it by one.
 */
export const RPC_PROTOCOL_VERSION = 2;

/** What both sides send first: these letters and the protocol version. */
const LETTERS = [..."MILLRACE"].map((letter) => letter.charCodeAt(0));
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
  /** What both sides speak: the lower of their versions. This side's own until the other has said hers. */
  protocolVersion: number;
  readonly #connection: Connection;
  #preambleBytes = 0;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #frame: Uint8Array | undefined;
  #frameBytes = 0;
  #closed = false;

  constructor(connection: Connection, maxFrameBytes: number, protocolVersion: number = RPC_PROTOCOL_VERSION) {
    this.#connection = connection;
    this.maxFrameBytes = maxFrameBytes;
    this.protocolVersion = protocolVersion;
    connection.write(new Uint8Array([...LETTERS, protocolVersion]));
    connection.onClose = (error) => this.#close(closedError(error));
    connection.onData = (bytes) => this.#receive(bytes);
  }

  get peer(): ConnectionPeer | undefined {
    return this.#connection.peer;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @returns false when {@link drained} should be waited for. @throws `RPC_FRAME_TOO_LARGE`, and sends nothing, when the frame is beyond the limit of both sides */
  send(frame: Uint8Array): boolean {
    if (this.#closed) return true;
    if (frame.length > this.maxFrameBytes) throw frameTooLarge(frame.length, this.maxFrameBytes, "is to be sent");
    // Short frames are copied behind their header, since a second write costs more.
    const copied = frame.length <= MAX_COPIED_BYTES;
    const head = new Uint8Array(HEADER_BYTES + (copied ? frame.length : 0));
    new DataView(head.buffer).setUint32(0, frame.length);
    if (copied) head.set(frame, HEADER_BYTES);
    const hasRoom = this.#connection.write(head);
    return copied ? hasRoom : this.#connection.write(frame);
  }

  /** Resolves when what was sent has left this process. @throws when it never will */
  drained(): Promise<void> {
    return this.#closed ? Promise.resolve() : this.#connection.drained();
  }

  /** Closes after what was sent; with an error when the other side is to blame. */
  close(error?: MillraceError): void {
    this.#close(error);
  }

  /** Closes without what the other side has not read: it does not answer. */
  abort(error: MillraceError): void {
    if (this.#closed) return;
    this.#close(error);
    this.#connection.abort?.();
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
    while (this.#preambleBytes <= LETTERS.length && at < bytes.length) {
      const byte = bytes[at++]!;
      const index = this.#preambleBytes++;
      if (index === LETTERS.length && Math.abs(byte - this.protocolVersion) <= 1) this.protocolVersion = Math.min(byte, this.protocolVersion);
      else if (byte !== LETTERS[index]) {
        this.#close(index === 0 && TLS_RECORDS.includes(byte) ? tlsNotSpoken() : index < LETTERS.length ? notMillrace(bytes) : otherProtocol(byte, this.protocolVersion));
        return bytes.length;
      }
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

function notMillrace(bytes: Uint8Array): MillraceError {
  // Flink's commands take the port of the REST API.
  const isHttpAnswer = Buffer.from(bytes.subarray(0, 5)).toString("latin1") === "HTTP/";
  return new MillraceError({
    code: "RPC_NOT_MILLRACE", message: isHttpAnswer ? "a server of HTTP answers, such as the REST API" : "what came over the connection is not Millrace's protocol",
    hint: isHttpAnswer ? "give the port of the JobManager itself (jobmanager.rpc.port, by default 6123), not rest.port" : "check that the port is the one of a JobManager (jobmanager.rpc.port)",
  });
}

function tlsNotSpoken(): MillraceError {
  return new MillraceError({ code: "RPC_NOT_MILLRACE", message: "the other side speaks TLS and this one does not", hint: "set security.ssl.internal.enabled on both sides, or on neither" });
}

function otherProtocol(version: number, own: number): MillraceError {
  return new MillraceError({
    code: "RPC_PROTOCOL_VERSION", message: `the other side speaks version ${version} of the protocol, this one version ${own}; only neighbours understand each other`,
    hint: "run the same version of Millrace on both sides, or the one before",
  });
}
