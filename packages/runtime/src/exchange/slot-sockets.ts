import { MillraceError, isMillraceError, type Cancellable, type Connection, type Env } from "@millrace/core";
import { HANDSHAKE_BYTES, checkHandshake, encodeHandshake, withBytesAhead, type SlotIdentity } from "./slot-handshake.js";
import { SocketPort } from "./socket-port.js";

/** Where a slot listens for its peers. */
export interface SlotAddress {
  /** A name or address, or `unix:PATH`. */
  readonly host: string;
  readonly port: number;
}

/** Where a slot is to listen. */
export interface SlotBinding {
  readonly host: string;
  /** The first free one is taken; 0 is any. */
  readonly ports: readonly number[];
  /** Listens on a Unix domain socket as well, for slots in other processes of this machine. */
  readonly path?: string | undefined;
}

/** Told of connections that were turned away. */
export type PeerRefused = (address: string | undefined, why: Error) => void;

export interface SlotSocketsOptions extends Partial<SlotBinding> {
  /** The OU that a certificate of a slot has, where connections have certificates. */
  readonly peerUnit?: string | undefined;
  readonly refused?: PeerRefused;
}

/** What a `connect` command carries instead of a port when the peer is in another TaskManager. Without an address the peer connects. */
export interface SocketPeer {
  readonly kind: "socket";
  readonly peerSlot: number;
  readonly address: SlotAddress | undefined;
}

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** For a connection that comes before its slot knows what it belongs to: the others get their slots at about the same time. */
const UNREAD_TIMEOUT_MS = 60_000;
/** Connections that have not introduced themselves; of more, the oldest goes. */
const MAX_STRANGERS = 1024;

/**
 * The network side of a slot: listens for peers from its start on, before it is known what it will run, and connects to others.
 *
 * Whoever connects must present the secret of the slot's epoch before anything is read that could be meant for a task; others are closed
 * without a word. Connections that come before {@link open} are left unread until then.
 */
export class SlotSockets {
  /** Of TCP; 0 when it listens on a path only. */
  readonly port: number;
  readonly #env: Pick<Env, "clock" | "net">;
  readonly #listeners: readonly { close(): Promise<void> }[];
  readonly #state: ListenerState;
  #onLost: (error: MillraceError) => void = () => undefined;

  private constructor(env: Pick<Env, "clock" | "net">, listeners: readonly { readonly port: number; close(): Promise<void> }[], state: ListenerState) {
    this.#env = env;
    this.port = listeners.find(({ port }) => port > 0)?.port ?? 0;
    this.#listeners = listeners;
    this.#state = state;
  }

  /** Listens at the host, the path, or both. @throws `ADDRESS_UNAVAILABLE`, `ADDRESS_IN_USE` when all ports are taken */
  static async listen(env: Pick<Env, "clock" | "net">, { host, ports = [0], path, peerUnit, refused = () => undefined }: SlotSocketsOptions): Promise<SlotSockets> {
    const state = new ListenerState(env, peerUnit, refused);
    const arrived = (connection: Connection): void => state.arrived(connection);
    const listeners = host === undefined ? [] : [await listenOnFirstFree(ports, (port) => env.net.listen(host, port, arrived, refused))];
    if (path !== undefined) listeners.push(await env.net.listen(`unix:${path}`, 0, arrived, refused));
    return new SlotSockets(env, listeners, state);
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
    await Promise.all(this.#listeners.map((listener) => listener.close()));
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

async function listenOnFirstFree<T>(ports: readonly number[], listen: (port: number) => Promise<T>): Promise<T> {
  for (const [at, port] of ports.entries()) {
    try {
      return await listen(port);
    } catch (error) {
      const isLast = at === ports.length - 1;
      if (isLast || !isMillraceError(error) || error.code !== "ADDRESS_IN_USE") throw error;
    }
  }
  throw new MillraceError({ code: "ADDRESS_UNAVAILABLE", message: "a slot was given no port to listen on" });
}

/** Brings accepted connections together with the ports that wait for them. */
class ListenerState {
  identity: SlotIdentity | undefined;
  readonly #env: Pick<Env, "clock">;
  readonly #peerUnit: string | undefined;
  readonly #refused: PeerRefused;
  /** Not introduced yet; the oldest first. */
  readonly #strangers = new Map<Connection, Cancellable>();
  readonly #unread = new Set<Connection>();
  /** Introduced before their `connect` command came, by sender. */
  readonly #introduced = new Map<number, Connection>();
  readonly #ports = new Map<number, SocketPort>();

  constructor(env: Pick<Env, "clock">, peerUnit: string | undefined, refused: PeerRefused) {
    this.#env = env;
    this.#peerUnit = peerUnit;
    this.#refused = refused;
  }

  open(identity: SlotIdentity): void {
    this.identity = identity;
    const unread = [...this.#unread];
    this.#unread.clear();
    for (const connection of unread) this.#readHandshake(connection);
  }

  arrived(connection: Connection): void {
    const { certificate } = connection.peer ?? {};
    if (certificate !== undefined && certificate.unit !== this.#peerUnit) return this.#refuse(connection, `"${certificate.name}" is not a process of the cluster: its certificate was made for a person`);
    if (this.identity !== undefined) return this.#readHandshake(connection);
    this.#await(connection, UNREAD_TIMEOUT_MS);
    this.#unread.add(connection);
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
    for (const connection of [...this.#strangers.keys(), ...this.#introduced.values()]) connection.close();
  }

  #readHandshake(connection: Connection): void {
    const handshake = new Uint8Array(HANDSHAKE_BYTES);
    let filled = 0;
    this.#await(connection, HANDSHAKE_TIMEOUT_MS);
    connection.onData = (bytes) => {
      const count = Math.min(bytes.length, HANDSHAKE_BYTES - filled);
      handshake.set(bytes.subarray(0, count), filled);
      filled += count;
      if (filled < HANDSHAKE_BYTES) return;
      this.#forget(connection);
      connection.pause();
      connection.onData = undefined;
      const sender = checkHandshake(handshake, this.identity!);
      if (sender === undefined) return this.#refuse(connection, "it did not show the secret of this slot's epoch");
      this.#introduce(sender, withBytesAhead(connection, bytes.subarray(count)));
    };
  }

  /** Gives a stranger a while to introduce itself. */
  #await(connection: Connection, timeoutMs: number): void {
    this.#forget(connection);
    this.#strangers.set(connection, this.#env.clock.setTimer(timeoutMs, () => this.#refuse(connection, "it did not introduce itself in time")));
    connection.onClose = () => this.#forget(connection);
    const [oldest] = this.#strangers.keys();
    if (this.#strangers.size > MAX_STRANGERS) this.#refuse(oldest!, `${MAX_STRANGERS} others have not introduced themselves either`);
  }

  #forget(connection: Connection): void {
    this.#strangers.get(connection)?.cancel();
    this.#strangers.delete(connection);
    this.#unread.delete(connection);
  }

  #refuse(connection: Connection, why: string): void {
    this.#forget(connection);
    this.#refused(connection.peer?.address, new MillraceError({ code: "PEER_REFUSED", message: why }));
    connection.onClose = undefined;
    connection.close();
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
