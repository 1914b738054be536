import { MillraceError, decodeValue, deserializeError, encodeValue, isMillraceError, serializeError, type Connection, type ConnectionPeer, type Env, type SerializedError } from "@millrace/core";
import { FramedConnection } from "./framed-connection.js";
import { MILLRACE_VERSION, checkMillraceVersion } from "./millrace-version.js";
import { RefusalLog } from "./refusal-log.js";
import { RpcConnection, type HeartbeatSettings } from "./rpc-connection.js";

/** Frames are far below this: blobs go in pieces. */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;
/** Before the other side has said who it is. */
const MAX_HELLO_BYTES = 64 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;
/** Connections that have not introduced themselves; of more, the oldest goes. */
const MAX_STRANGERS = 1024;

/** What the connecting side says of itself. `about` depends on the role. */
export interface RpcHello {
  readonly role: "taskmanager" | "client";
  readonly version: string;
  readonly about: unknown;
}

/** The server says how both sides show that they live, so that they cannot disagree. */
type Welcome = { readonly token: string; readonly version: string; readonly heartbeat: HeartbeatSettings; readonly about: unknown } | { readonly refused: SerializedError };

export interface RpcServerOptions {
  readonly env: Pick<Env, "clock" | "net" | "log">;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly heartbeat: HeartbeatSettings;
  /** The fencing token of this leader, given to everyone who connects. Read for each. */
  readonly token: string;
  /** Decides about a side that said who it is; what it throws is told to that side. `about` goes to it with the welcome, then `welcomed` is called. */
  readonly accept: (hello: RpcHello, peer: ConnectionPeer | undefined) => { readonly about: unknown; readonly welcomed: (connection: RpcConnection) => void };
}

/** Listens for endpoints. A connection that says nothing sensible, or nothing at all, is closed; the log says why. */
export class RpcServer {
  readonly port: number;
  readonly #listener: { close(): Promise<void> };
  readonly #open: Set<FramedConnection>;

  private constructor(port: number, listener: { close(): Promise<void> }, open: Set<FramedConnection>) {
    this.port = port;
    this.#listener = listener;
    this.#open = open;
  }

  /** @throws `ADDRESS_IN_USE`, `ADDRESS_UNAVAILABLE` */
  static async listen(options: RpcServerOptions): Promise<RpcServer> {
    const open = new Set<FramedConnection>();
    const strangers = new Map<FramedConnection, (why: MillraceError) => void>();
    const refusals = new RefusalLog(options.env);
    const listener = await options.env.net.listen(
      options.host, options.port, (connection) => greet(connection, { ...options, open, strangers, refusals }), (address, why) => refusals.write(address, "was refused", why),
    );
    return new RpcServer(listener.port, listener, open);
  }

  /** Goes on listening. */
  closeConnections(): void {
    for (const frames of this.#open) frames.close();
  }

  /** Closes every connection, too. */
  async close(): Promise<void> {
    this.closeConnections();
    await this.#listener.close();
  }
}

interface Greeting extends RpcServerOptions {
  readonly open: Set<FramedConnection>;
  /** Those of them that have not said who they are, and how to refuse them. */
  readonly strangers: Map<FramedConnection, (why: MillraceError) => void>;
  readonly refusals: RefusalLog;
}

function greet(connection: Connection, { open, strangers, refusals, ...options }: Greeting): void {
  const { clock } = options.env;
  const frames = new FramedConnection(connection, MAX_HELLO_BYTES);
  const address = connection.peer?.address;
  const drop = (error: MillraceError): void => {
    refusals.write(address, "was refused", error);
    frames.close();
  };
  open.add(frames);
  strangers.set(frames, drop);
  const [oldest] = strangers.values();
  if (strangers.size > MAX_STRANGERS) oldest!(handshake(`${MAX_STRANGERS} others have not introduced themselves either`));
  const timer = clock.setTimer(HANDSHAKE_TIMEOUT_MS, () => drop(handshakeTimeout()));
  frames.onClose = (error) => {
    timer.cancel();
    open.delete(frames);
    strangers.delete(frames);
    if (error !== undefined && error.code !== "RPC_CONNECTION_LOST") refusals.write(address, "was closed", error);
  };
  frames.onFrame = (frame) => {
    timer.cancel();
    strangers.delete(frames);
    try {
      const hello = readHello(frame);
      checkMillraceVersion(hello.version, `the ${hello.role}`);
      const { about, welcomed } = options.accept(hello, connection.peer);
      frames.send(encodeValue({ token: options.token, version: MILLRACE_VERSION, heartbeat: options.heartbeat, about } satisfies Welcome));
      frames.maxFrameBytes = MAX_FRAME_BYTES;
      const reportClosed = frames.onClose!;
      const established = new RpcConnection(frames, clock, options.token, options.heartbeat);
      const closed = frames.onClose!;
      frames.onClose = (error) => {
        reportClosed(error);
        closed(error);
      };
      welcomed(established);
    } catch (error) {
      frames.send(encodeValue({ refused: serializeError(error) } satisfies Welcome));
      drop(isMillraceError(error) ? error : new MillraceError({ code: "RPC_HANDSHAKE", message: String((error as Error).message), cause: error }));
    }
  };
}

export interface RpcClientOptions {
  readonly env: Pick<Env, "clock" | "net">;
  readonly host: string;
  readonly port: number;
  readonly role: RpcHello["role"];
  readonly about: unknown;
}

/**
 * Connects to an RPC server and introduces this side; resolves with the connection and what the server says of itself.
 * @throws `CONNECTION_FAILED`, `RPC_NOT_MILLRACE`, `RPC_PROTOCOL_VERSION`, `RPC_MILLRACE_VERSION`, `RPC_HANDSHAKE`, or what the server refused it with
 */
export async function connectRpc(options: RpcClientOptions): Promise<{ readonly connection: RpcConnection; readonly about: unknown }> {
  const { clock, net } = options.env;
  const frames = new FramedConnection(await net.connect(options.host, options.port), MAX_HELLO_BYTES);
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(HANDSHAKE_TIMEOUT_MS, () => frames.close(handshakeTimeout()));
    frames.onClose = (error) => {
      timer.cancel();
      reject(error?.code === "RPC_CONNECTION_LOST" ? turnedAway(error) : error);
    };
    frames.onFrame = (frame) => {
      timer.cancel();
      try {
        const { token, heartbeat, about } = readWelcome(frame);
        frames.maxFrameBytes = MAX_FRAME_BYTES;
        // Takes over at once, since the next frame may have come with this one.
        resolve({ connection: new RpcConnection(frames, clock, token, heartbeat), about });
      } catch (error) {
        frames.onClose = undefined;
        frames.close();
        reject(error);
      }
    };
    frames.send(encodeValue({ role: options.role, version: MILLRACE_VERSION, about: options.about } satisfies RpcHello));
  });
}

function readHello(frame: Uint8Array): RpcHello {
  const hello = decode(frame);
  if ((hello["role"] !== "taskmanager" && hello["role"] !== "client") || typeof hello["version"] !== "string") throw handshake("the first frame is not an introduction");
  return hello as unknown as RpcHello;
}

function readWelcome(frame: Uint8Array): Exclude<Welcome, { refused: unknown }> {
  const welcome = decode(frame);
  if (typeof welcome["refused"] === "object" && welcome["refused"] !== null) throw deserializeError(welcome["refused"] as SerializedError);
  if (typeof welcome["token"] !== "string" || typeof welcome["version"] !== "string" || !isHeartbeat(welcome["heartbeat"])) throw handshake("the answer is not a welcome");
  checkMillraceVersion(welcome["version"], "the JobManager");
  return welcome as unknown as Exclude<Welcome, { refused: unknown }>;
}

function isHeartbeat(value: unknown): boolean {
  const { intervalMs, timeoutMs } = (value ?? {}) as Partial<HeartbeatSettings>;
  return Number.isFinite(intervalMs) && intervalMs! > 0 && Number.isFinite(timeoutMs) && timeoutMs! > 0;
}

function decode(frame: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = decodeValue(frame);
  } catch (cause) {
    throw handshake("it is not an encoded value", cause);
  }
  if (typeof value !== "object" || value === null) throw handshake("it is not an object");
  return value as Record<string, unknown>;
}

function handshake(why: string, cause?: unknown): MillraceError {
  return new MillraceError({ code: "RPC_HANDSHAKE", message: `the introduction cannot be understood: ${why}`, ...(cause === undefined ? {} : { cause }) });
}

/** Closed before it said anything: TLS tells the reason to the log of the other side only. */
function turnedAway(error: MillraceError): MillraceError {
  return new MillraceError({
    code: error.code, message: error.message, recovery: "restart", cause: error,
    hint: "its log says why; a common reason is TLS on one side only (security.ssl.internal.enabled), or a certificate that is not the cluster's",
  });
}

function handshakeTimeout(): MillraceError {
  return new MillraceError({ code: "RPC_HANDSHAKE", message: "the other side did not introduce itself in time" });
}
