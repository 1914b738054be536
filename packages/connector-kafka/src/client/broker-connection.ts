import { MillraceError } from "@millrace/core";
import { connect as connectTcp } from "node:net";
import type { Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Api } from "../protocol/api.js";
import { ApiVersions } from "../protocol/cluster-apis.js";
import type { VersionRange } from "../protocol/cluster-apis.js";
import { errorName } from "../protocol/error-code.js";
import { SaslAuthenticate, SaslHandshake } from "../protocol/sasl-apis.js";
import { WireReader } from "../protocol/wire-reader.js";
import { WireWriter } from "../protocol/wire-writer.js";
import { FrameReader } from "./frame-reader.js";
import { TransientKafkaError, answerError } from "./kafka-error.js";
import type { ConnectionSettings, HostAndPort } from "./kafka-options.js";
import { authenticate } from "./sasl.js";

/** Far above what one asks for: a larger answer is no answer of Kafka's. */
const MAX_FRAME_BYTES = 512 * 1024 * 1024;

interface Waiting {
  readonly api: Api<never, unknown>;
  readonly version: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

/** A connection to one broker. Answers come in the order of the requests. A request that gets none in time ends the connection, as does anything else that is not the protocol. */
export class BrokerConnection {
  readonly #where: string;
  readonly #socket: Socket;
  readonly #settings: ConnectionSettings;
  readonly #frames = new FrameReader(MAX_FRAME_BYTES);
  readonly #waiting = new Map<number, Waiting>();
  #versions: readonly VersionRange[] | undefined;
  #correlationId: number = 0;
  #closed: Error | undefined;

  private constructor(address: HostAndPort, socket: Socket, settings: ConnectionSettings) {
    this.#where = `${address.host}:${address.port}`;
    this.#socket = socket;
    this.#settings = settings;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => this.#end(new TransientKafkaError(`the connection to ${this.#where} broke: ${error.message}`, { cause: error })));
    socket.on("close", () => this.#end(new TransientKafkaError(`the broker at ${this.#where} closed the connection`)));
  }

  /** Connects, encrypts and authenticates. @throws `KAFKA_AUTHENTICATION_FAILED`, `KAFKA_VERSION_UNSUPPORTED`; {@link TransientKafkaError} when nobody answers */
  static async open(address: HostAndPort, settings: ConnectionSettings): Promise<BrokerConnection> {
    const connection = new BrokerConnection(address, await openSocket(address, settings), settings);
    try {
      await connection.#agreeOnVersions();
      if (settings.sasl !== undefined) await connection.#authenticate();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Sends one request. @throws {@link TransientKafkaError} when the connection ends before the answer; `KAFKA_VERSION_UNSUPPORTED` */
  call<Q, R>(api: Api<Q, R>, request: Q, timeoutMs: number = this.#settings.requestTimeoutMs): Promise<R> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    const version = this.#versionOf(api);
    const correlationId = (this.#correlationId = (this.#correlationId + 1) & 0x7fffffff);
    const writer = new WireWriter().int32(0).int16(api.key).int16(version).int32(correlationId).string(this.#settings.clientId);
    if (api.flexible) writer.tags();
    api.encode(writer, request, version);
    const bytes = writer.bytes();
    bytes.writeInt32BE(bytes.length - 4, 0);
    return new Promise<R>((resolve, reject) => {
      const late = (): void => this.#end(new TransientKafkaError(`the broker at ${this.#where} did not answer ${api.name} in ${timeoutMs} ms`));
      const timer = setTimeout(late, timeoutMs);
      timer.unref();
      this.#waiting.set(correlationId, { api: api as Api<never, unknown>, version, resolve: resolve as (value: unknown) => void, reject, timer });
      this.#socket.write(bytes);
    });
  }

  /** Says so and goes; those who wait for an answer get an error. */
  close(): void {
    this.#end(new TransientKafkaError(`the connection to ${this.#where} was closed`));
  }

  async #agreeOnVersions(): Promise<void> {
    const { errorCode, ranges } = await this.call(ApiVersions, undefined);
    if (errorCode !== 0) throw unsupported(`the broker at ${this.#where} answers ApiVersions with ${errorName(errorCode)}`);
    this.#versions = ranges;
  }

  #versionOf(api: Api<never, unknown> | Api<unknown, unknown>): number {
    const range = this.#versions?.find(({ key }) => key === api.key);
    if (this.#versions === undefined) return api.maxVersion;
    const version = Math.min(api.maxVersion, range?.max ?? -1);
    if (range === undefined || version < api.minVersion || version < range.min) {
      const offered = range === undefined ? "does not know it" : `speaks ${range.min} to ${range.max}`;
      throw unsupported(`${api.name} is needed in version ${api.minVersion} to ${api.maxVersion}; the broker at ${this.#where} ${offered}`);
    }
    return version;
  }

  async #authenticate(): Promise<void> {
    const sasl = this.#settings.sasl!;
    const handshake = await this.call(SaslHandshake, sasl.mechanism);
    if (handshake.errorCode !== 0) {
      throw refused(`the broker at ${this.#where} does not take ${sasl.mechanism} but ${handshake.mechanisms.join(", ") || "nothing"}`);
    }
    await authenticate(sasl, async (message) => {
      const { errorCode, message: reason, bytes } = await this.call(SaslAuthenticate, message);
      if (errorCode === 0) return bytes;
      if (errorName(errorCode) === "SASL_AUTHENTICATION_FAILED") throw refused(`the broker at ${this.#where} refuses user "${sasl.username}": ${reason ?? "wrong password?"}`);
      throw answerError(errorCode, `authentication at ${this.#where}`, reason);
    });
  }

  #receive(chunk: Buffer): void {
    try {
      this.#frames.push(chunk, (frame) => this.#answer(frame));
    } catch (error) {
      this.#end(new TransientKafkaError(`what the other side of ${this.#where} says is not the protocol of Kafka: ${(error as Error).message}`, { cause: error }));
    }
  }

  #answer(frame: Buffer): void {
    const correlationId = frame.readInt32BE(0);
    const waiting = this.#waiting.get(correlationId);
    if (waiting === undefined) throw new RangeError(`an answer to request ${correlationId}, which nobody asked`);
    this.#waiting.delete(correlationId);
    clearTimeout(waiting.timer);
    try {
      const reader = new WireReader(frame, 4);
      if (waiting.api.flexible && waiting.api.key !== ApiVersions.key) reader.tags();
      waiting.resolve(waiting.api.decode(reader, waiting.version));
    } catch (error) {
      waiting.reject(new TransientKafkaError(`the answer of ${this.#where} to ${waiting.api.name} cannot be read`, { cause: error }));
      throw error;
    }
  }

  #end(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#socket.destroy();
    for (const { reject, timer } of this.#waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.#waiting.clear();
  }
}

function openSocket({ host, port }: HostAndPort, { tls, requestTimeoutMs }: ConnectionSettings): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = tls === undefined ? connectTcp({ host, port, noDelay: true, keepAlive: true }) : connectTls({ host, port, servername: /^[\d.:]+$/.test(host) ? "" : host, ...tls });
    const timer = setTimeout(() => socket.destroy(new Error("it does not answer")), Math.min(requestTimeoutMs, 10_000));
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(new TransientKafkaError(`${host}:${port} cannot be reached: ${error.message}`, { cause: error }));
    };
    socket.once("error", fail);
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      clearTimeout(timer);
      socket.removeListener("error", fail);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

function unsupported(message: string): MillraceError {
  return new MillraceError({ code: "KAFKA_VERSION_UNSUPPORTED", message, hint: "this connector needs Kafka 3.1 or later" });
}

function refused(message: string): MillraceError {
  return new MillraceError({ code: "KAFKA_AUTHENTICATION_FAILED", message, hint: "check sasl.username, sasl.password and sasl.mechanism" });
}
