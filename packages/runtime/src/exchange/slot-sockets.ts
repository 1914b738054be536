import { MillraceError, type Cancellable, type Connection, type Env } from "@millrace/core";
import { SocketPort } from "./socket-port.js";

/** Where a slot listens for its peers. */
export interface SlotAddress {
  readonly host: string;
  readonly port: number;
}

/** What a `connect` command carries instead of a port when the peer is in another TaskManager. Without an address the peer connects. */
export interface SocketPeer {
  readonly kind: "socket";
  readonly peerSlot: number;
  readonly address: SlotAddress | undefined;
}

/** What a slot knows once it belongs to a job: its own number, and the secret that all slots of this epoch share. */
export interface SlotIdentity {
  readonly slotIndex: number;
  /** 32 hexadecimal digits. */
  readonly secret: string;
}

/** "MLSL", a version, the secret, the sender's and the receiver's slot. */
const MAGIC = [0x4d, 0x4c, 0x53, 0x4c, 1];
const SECRET_CHARACTERS = 32;
const HANDSHAKE_BYTES = MAGIC.length + SECRET_CHARACTERS + 8;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Connections that nobody has looked at yet. */
const MAX_WAITING = 1024;

/**
 * The TCP side of a slot: listens for peers from its start on, before it is known what it will run, and connects to others.
 *
 * Whoever connects must present the secret of the slot's epoch before anything is read that could be meant for a task; others are closed
 * without a word. Connections that come before {@link open} are left unread until then.
 */
export class SlotSockets {
  readonly port: number;
  readonly #env: Pick<Env, "clock" | "net">;
  readonly #listener: { close(): Promise<void> };
  readonly #state: ListenerState;
  #onLost: (error: MillraceError) => void = () => undefined;

  private constructor(env: Pick<Env, "clock" | "net">, listener: { readonly port: number; close(): Promise<void> }, state: ListenerState) {
    this.#env = env;
    this.port = listener.port;
    this.#listener = listener;
    this.#state = state;
  }

  /** @throws `ADDRESS_UNAVAILABLE` */
  static async listen(env: Pick<Env, "clock" | "net">, host: string): Promise<SlotSockets> {
    const state = new ListenerState(env);
    return new SlotSockets(env, await env.net.listen(host, 0, (connection) => state.arrived(connection)), state);
  }

  /** The slot belongs to a job from now on. @param onLost a connection to a peer was lost */
  open(identity: SlotIdentity, onLost: (error: MillraceError) => void): void {
    this.#onLost = onLost;
    this.#state.open(identity);
  }

  /** The port to a peer; what is posted waits until the connection is there. */
  portTo(peer: SocketPeer): SocketPort {
    const port = new SocketPort(this.#onLost);
    if (peer.address === undefined) this.#state.expect(peer.peerSlot, port);
    else void this.#connect(peer.address, peer.peerSlot, port);
    return port;
  }

  async close(): Promise<void> {
    this.#state.close();
    await this.#listener.close();
  }

  async #connect({ host, port }: SlotAddress, peerSlot: number, to: SocketPort): Promise<void> {
    try {
      const connection = await this.#env.net.connect(host, port);
      connection.write(encodeHandshake(this.#state.identity!, peerSlot));
      to.attach(connection);
    } catch (error) {
      to.fail(error as Error);
    }
  }
}

/** Brings accepted connections together with the ports that wait for them. */
class ListenerState {
  identity: SlotIdentity | undefined;
  readonly #env: Pick<Env, "clock">;
  readonly #unread = new Set<Connection>();
  /** Introduced before their `connect` command came, by sender. */
  readonly #introduced = new Map<number, Connection>();
  readonly #ports = new Map<number, SocketPort>();

  constructor(env: Pick<Env, "clock">) {
    this.#env = env;
  }

  open(identity: SlotIdentity): void {
    this.identity = identity;
    for (const connection of this.#unread) this.#readHandshake(connection);
    this.#unread.clear();
  }

  arrived(connection: Connection): void {
    if (this.identity !== undefined) return this.#readHandshake(connection);
    if (this.#unread.size >= MAX_WAITING) return connection.close();
    this.#unread.add(connection);
    connection.onClose = () => this.#unread.delete(connection);
  }

  expect(peerSlot: number, port: SocketPort): void {
    const connection = this.#introduced.get(peerSlot);
    if (connection === undefined) this.#ports.set(peerSlot, port);
    else {
      this.#introduced.delete(peerSlot);
      port.attach(connection);
    }
  }

  close(): void {
    for (const connection of [...this.#unread, ...this.#introduced.values()]) connection.close();
  }

  #readHandshake(connection: Connection): void {
    const handshake = new Uint8Array(HANDSHAKE_BYTES);
    let filled = 0;
    const timer: Cancellable = this.#env.clock.setTimer(HANDSHAKE_TIMEOUT_MS, () => connection.close());
    connection.onClose = () => timer.cancel();
    connection.onData = (bytes) => {
      const count = Math.min(bytes.length, HANDSHAKE_BYTES - filled);
      handshake.set(bytes.subarray(0, count), filled);
      filled += count;
      if (filled < HANDSHAKE_BYTES) return;
      timer.cancel();
      connection.pause();
      connection.onData = undefined;
      const sender = checkHandshake(handshake, this.identity!);
      if (sender === undefined) return connection.close();
      this.#introduce(sender, withBytesAhead(connection, bytes.subarray(count)));
    };
  }

  #introduce(sender: number, connection: Connection): void {
    const port = this.#ports.get(sender);
    if (port !== undefined) {
      this.#ports.delete(sender);
      port.attach(connection);
    } else if (this.#introduced.has(sender)) connection.close();
    else this.#introduced.set(sender, connection);
  }
}

/** The same connection, as if what was read beyond the handshake were still to come. */
function withBytesAhead(connection: Connection, ahead: Uint8Array): Connection {
  const rest = ahead.slice();
  const wrapped: Connection = {
    get onData() {
      return connection.onData;
    },
    set onData(take) {
      if (rest.length > 0) take?.(rest);
      connection.onData = take;
      connection.resume();
    },
    get onClose() {
      return connection.onClose;
    },
    set onClose(report) {
      connection.onClose = report;
    },
    write: (bytes) => connection.write(bytes),
    drained: () => connection.drained(),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    close: () => connection.close(),
  };
  return wrapped;
}

function encodeHandshake({ slotIndex, secret }: SlotIdentity, peerSlot: number): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_BYTES);
  bytes.set(MAGIC);
  bytes.set(secretBytes(secret), MAGIC.length);
  const slots = new DataView(bytes.buffer, MAGIC.length + SECRET_CHARACTERS);
  slots.setUint32(0, slotIndex);
  slots.setUint32(4, peerSlot);
  return bytes;
}

/** The sender's slot; `undefined` when it is not one of ours. Takes as long for every wrong secret. */
function checkHandshake(bytes: Uint8Array, { slotIndex, secret }: SlotIdentity): number | undefined {
  const expected = [...MAGIC, ...secretBytes(secret)];
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference |= bytes[i]! ^ expected[i]!;
  const slots = new DataView(bytes.buffer, MAGIC.length + SECRET_CHARACTERS);
  return difference === 0 && slots.getUint32(4) === slotIndex ? slots.getUint32(0) : undefined;
}

function secretBytes(secret: string): Uint8Array {
  return Uint8Array.from({ length: SECRET_CHARACTERS }, (_, i) => secret.charCodeAt(i));
}
