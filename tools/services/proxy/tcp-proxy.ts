import { connect, createServer, type Server, type Socket } from "node:net";
import { MessageFaults, type MessageFault } from "./message-faults.js";
import { Pipe, type Interception, type LinkCondition } from "./pipe.js";

export interface ProxyAddresses {
  /** Where it listens. Default: a free port of the loopback. */
  readonly host?: string;
  readonly port?: number;
  /** Whom it stands for. */
  readonly targetHost?: string;
  readonly targetPort: number;
}

/** `forward`: from who connects to who listens. */
export type Direction = "forward" | "backward" | "both";

interface Passage {
  isForsaken: boolean;
  readonly forward: Pipe;
  readonly backward: Pipe;
}

const LOOPBACK = "127.0.0.1";
const FORSAKEN: LinkCondition = { held: true, delayMs: 0 };
const CLEAR: LinkCondition = { held: false, delayMs: 0 };

/**
 * Stands between processes and can be told to misbehave as networks do. It never drops bytes out of the middle of a connection, for TCP does not: a connection
 * is silent until the link is clear again, or it is torn. Faults can be planned for messages that hold a text, too.
 */
export class TcpProxy {
  readonly #server: Server;
  readonly #passages = new Set<Passage>();
  readonly #messageFaults = new MessageFaults();
  #forward: LinkCondition = CLEAR;
  #backward: LinkCondition = CLEAR;
  /** Bytes passed so far. */
  bytes = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen({ host = LOOPBACK, port = 0, targetHost = LOOPBACK, targetPort }: ProxyAddresses): Promise<TcpProxy> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const proxy = new TcpProxy(server);
    server.on("connection", (socket) => proxy.#accept(socket, connect({ host: targetHost, port: targetPort, noDelay: true, allowHalfOpen: true })));
    await new Promise<void>((resolve, reject) => void server.once("error", reject).listen(port, host, resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  get connections(): number {
    return this.#passages.size;
  }

  /** How many of the planned faults are still to come. */
  get pending(): number {
    return this.#messageFaults.pending;
  }

  /** Each happens once, in this order. A message that comes in several pieces is seen when its text is in one of them. */
  plan(...faults: readonly MessageFault[]): void {
    this.#messageFaults.plan(faults);
  }

  /** Nothing passes that way any more, in open connections and in new ones. */
  hold(direction: Direction): void {
    if (direction !== "backward") this.#forward = { ...this.#forward, held: true };
    if (direction !== "forward") this.#backward = { ...this.#backward, held: true };
  }

  delay(delayMs: number): void {
    this.#forward = { ...this.#forward, delayMs };
    this.#backward = { ...this.#backward, delayMs };
  }

  /** Nothing ever passes again in the connections that are open now, not even the news of their end, as when the machine of one end is gone; new ones work. */
  forsake(): void {
    for (const passage of this.#passages) passage.isForsaken = true;
  }

  /** Everything passes again, what was held first. */
  clear(): void {
    this.#forward = this.#backward = CLEAR;
    this.#pump();
  }

  /** Tears every open connection: at once, or in the middle of what passes next. Returns how many there were. */
  tear(random: () => number): number {
    const passages = [...this.#passages];
    for (const { forward, backward } of passages) {
      const way = random() < 0.5 ? forward : backward;
      if (random() < 0.3) way.reset();
      else way.tearLater({ afterBytes: Math.floor(random() * 60), abrupt: random() < 0.5 });
    }
    return passages.length;
  }

  /** Resets every open connection. */
  reset(): void {
    for (const { forward } of this.#passages) forward.reset();
  }

  async close(): Promise<void> {
    this.reset();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(from: Socket, to: Socket): void {
    const onBytes = (bytes: number): void => void (this.bytes += bytes);
    let atAnswer: MessageFault | undefined;
    const passage: Passage = {
      isForsaken: false,
      forward: new Pipe(from, to, () => (passage.isForsaken ? FORSAKEN : this.#forward), {
        onBytes, intercept: (bytes): Interception => {
          const fault = this.#messageFaults.due(bytes);
          if (fault === undefined) return "pass";
          if (fault.how === "hold") return Promise.resolve(fault.then?.());
          if (fault.how === "after") atAnswer = fault;
          else void fault.then?.();
          return fault.how === "after" ? "pass" : "reset";
        },
      }),
      backward: new Pipe(to, from, () => (passage.isForsaken ? FORSAKEN : this.#backward), {
        onBytes, intercept: () => {
          if (atAnswer === undefined) return "pass";
          void atAnswer.then?.();
          return "reset";
        },
      }),
    };
    this.#passages.add(passage);
    let open = 2;
    const closed = (): void => void (--open === 0 && this.#passages.delete(passage));
    from.once("close", closed);
    to.once("close", closed);
  }

  #pump(): void {
    for (const { forward, backward } of this.#passages) {
      forward.pump();
      backward.pump();
    }
  }
}
