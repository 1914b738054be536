import * as net from "node:net";
import * as tls from "node:tls";
import { MillraceError, type Connection, type Net } from "@millrace/core";
import { DirectReads, withDirectReads } from "./direct-reads.js";
import { NodeConnection, addressOf } from "./node-connection.js";
import { fixedCredentials, handshakeError, peerOf, subjectOf, type CredentialSource, type PeerCredentials } from "./peer-credentials.js";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Connections in the middle of a TLS handshake; of more, the oldest goes. */
const MAX_HANDSHAKES = 256;
const UNIX = "unix:";

type Accept = (connection: Connection) => void;
type Refused = (address: string, why: Error) => void;
interface Listener {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * TCP over `node:net`, without delay for small writes. Every open connection and listener keeps the process alive.
 *
 * With credentials, TCP is TLS 1.3 both ways, and both sides show a certificate of the cluster's CA; those that are replaced serve new connections. Unix domain sockets are never encrypted: who may
 * reach them is up to the rights of their directory.
 */
export class NodeNet implements Net {
  readonly #credentials: CredentialSource | undefined;
  readonly #handshakeTimeoutMs: number;

  constructor(credentials?: PeerCredentials | CredentialSource, handshakeTimeoutMs: number = HANDSHAKE_TIMEOUT_MS) {
    this.#credentials = credentials === undefined || "current" in credentials ? credentials : fixedCredentials(credentials);
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
  }

  /** `CONNECTION_FAILED` (worth a retry) when nobody answers, `TLS_HANDSHAKE_FAILED` when it is not the one it should be. */
  connect(host: string, port: number): Promise<Connection> {
    if (host.startsWith(UNIX)) return connectPlain({ path: host.slice(UNIX.length) }, host);
    if (this.#credentials === undefined) return connectPlain({ host, port, noDelay: true }, `${host}:${port}`);
    return connectTls(host, port, this.#credentials.current, this.#handshakeTimeoutMs);
  }

  /** Port 0 takes a free one. `ADDRESS_IN_USE` or `ADDRESS_UNAVAILABLE` when the address cannot be had. Closing leaves accepted connections open. */
  listen(host: string, port: number, accept: Accept, refused: Refused = () => undefined): Promise<Listener> {
    return new Promise((resolve, reject) => {
      const isUnix = host.startsWith(UNIX);
      const server = this.#credentials === undefined || isUnix ? plainServer(accept) : tlsServer(this.#credentials, this.#handshakeTimeoutMs, accept, refused);
      server.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(cause, isUnix ? host : `${host}:${port}`)));
      server.listen(isUnix ? { path: host.slice(UNIX.length) } : { host, port }, () => {
        resolve({
          port: isUnix ? 0 : (server.address() as net.AddressInfo).port,
          close: async () => {
            server.close();
          },
        });
      });
    });
  }
}

function plainServer(accept: Accept): net.Server {
  return net.createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
    const direct = withDirectReads(accepted);
    accept(direct === undefined ? new NodeConnection(accepted) : new NodeConnection(direct.socket, undefined, direct.reads));
  });
}

function tlsServer(credentials: CredentialSource, handshakeTimeout: number, accept: Accept, refused: Refused): net.Server {
  /** By address, since the encrypted socket does not know the one beneath. */
  const shaking = new Map<string, net.Socket>();
  const server = tls.createServer({
    ...contextOf(credentials.current), requestCert: true, handshakeTimeout, noDelay: true,
    // Checked below, where it can be told who was refused, and why.
    rejectUnauthorized: false,
  });
  server.once("close", credentials.onChange((replaced) => server.setSecureContext(contextOf(replaced))));
  server.on("connection", (socket: net.Socket) => {
    const address = addressOf(socket);
    shaking.set(address, socket);
    socket.once("close", () => shaking.delete(address));
    const [oldest] = shaking.values();
    if (shaking.size > MAX_HANDSHAKES) oldest!.destroy();
  });
  server.on("secureConnection", (socket) => {
    shaking.delete(addressOf(socket));
    if (socket.authorized) return accept(new NodeConnection(socket, peerOf(socket)));
    const problem = Object.keys(socket.getPeerCertificate()).length === 0 ? "NO_CERTIFICATE" : String(socket.authorizationError);
    refused(addressOf(socket), handshakeError(Object.assign(new Error(problem), { code: problem })));
    socket.on("error", () => undefined).destroy();
  });
  server.on("tlsClientError", (error, socket) => {
    refused(addressOf(socket), handshakeError(error));
    socket.destroy();
  });
  return server;
}

function contextOf({ certificate, key, ca }: PeerCredentials): tls.SecureContextOptions {
  return { cert: certificate, key, ca, minVersion: "TLSv1.3" };
}

function connectPlain(to: net.NetConnectOpts, address: string): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const reads = new DirectReads();
    const socket = net.connect({ ...to, onread: reads.options });
    const fail = (cause: NodeJS.ErrnoException): void => reject(connectionFailed(cause, address));
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.off("error", fail);
      resolve(new NodeConnection(socket, undefined, reads));
    });
  });
}

/** What is checked is the CA and the OU, not the host's name: one certificate may serve a whole cluster. */
function connectTls(host: string, port: number, credentials: PeerCredentials, timeoutMs: number): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host, port, ...contextOf(credentials),
      checkServerIdentity: (_, shown) => {
        const { name, unit } = subjectOf(shown);
        return unit === credentials.serverUnit ? undefined : new Error(`"${name}" is not a process of the cluster: its certificate was made without --internal`);
      },
    });
    let timer: NodeJS.Timeout | undefined;
    const fail = (cause: NodeJS.ErrnoException): void => {
      clearTimeout(timer);
      reject(timer === undefined ? connectionFailed(cause, `${host}:${port}`) : handshakeError(cause));
    };
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.setNoDelay(true);
      timer = setTimeout(() => socket.destroy(Object.assign(new Error("timeout"), { code: "TIMEOUT" })), timeoutMs);
    });
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      socket.off("error", fail);
      resolve(new NodeConnection(socket, peerOf(socket)));
    });
  });
}

function connectionFailed(cause: NodeJS.ErrnoException, address: string): MillraceError {
  return new MillraceError({
    code: "CONNECTION_FAILED", message: `cannot connect to ${address}: ${cause.code ?? cause.message}`, hint: "check that the other side is running and that the address is right",
    recovery: "retry", cause,
  });
}

function listenError(cause: NodeJS.ErrnoException, address: string): MillraceError {
  const inUse = cause.code === "EADDRINUSE";
  return new MillraceError({
    code: inUse ? "ADDRESS_IN_USE" : "ADDRESS_UNAVAILABLE",
    message: `cannot listen on ${address}: ${inUse ? "another program already does" : (cause.code ?? cause.message)}`,
    hint: inUse ? "stop that program or choose another port" : "choose an address of this machine and a port you may use",
    cause,
  });
}
