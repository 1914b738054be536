import * as net from "node:net";

/** What is read at a time of which it is not known yet where it belongs: short messages, and the beginnings of long ones. */
const OWN_BYTES = 1 << 15;
/** Of long messages less, since it is copied from here. */
const BEGINNING_BYTES = 1 << 14;

/** A socket's handle as Node has it; not part of its documented interface. */
interface StreamHandle {
  useUserBuffer?: unknown;
}

/**
 * Lets a plain socket read into arrays that stay, or that its owner names, in place of a new buffer for each read: those cost more than the reading, most of all
 * by the garbage collections of external memory they start.
 */
export class DirectReads {
  /** Gets what was read, a view that is valid during the call. */
  take: (bytes: Uint8Array) => void = () => undefined;
  /** Names the array that the next read goes into, or an empty one or none. */
  into: (() => Uint8Array | undefined) | undefined = undefined;
  /** For `net.connect`. */
  readonly options: net.OnReadOpts;
  readonly #own = new Uint8Array(OWN_BYTES);

  constructor() {
    this.options = {
      buffer: () => this.#target(),
      callback: (count, target) => {
        this.take(target.subarray(0, count));
        return true;
      },
    };
  }

  /** Asked before the first read and after each. */
  #target(): Uint8Array {
    if (this.into === undefined) return this.#own;
    const named = this.into();
    return named !== undefined && named.length > 0 ? named : this.#own.subarray(0, BEGINNING_BYTES);
  }
}

/**
 * The same connection with direct reads, for sockets that a server accepts: Node offers them to the side that connects only, so the handle moves into a socket of our own.
 * @returns `undefined` when this Node's handles cannot, and the socket is as it was
 */
export function withDirectReads(accepted: net.Socket): { readonly socket: net.Socket; readonly reads: DirectReads } | undefined {
  const owner = accepted as net.Socket & { _handle?: StreamHandle | null };
  const handle = owner._handle;
  if (handle === undefined || handle === null || typeof handle.useUserBuffer !== "function") return undefined;
  const reads = new DirectReads();
  const init = { handle, pauseOnCreate: true, onread: reads.options };
  const socket = new net.Socket(init as net.SocketConstructorOpts);
  owner._handle = null;
  // Without its handle it only leaves the server's count.
  accepted.destroy();
  return { socket, reads };
}
