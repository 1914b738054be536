// A proxy on the loopback that breaks connections where a test wants it: before or after a message of the client that holds a certain text.
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

/** What to do when the text is seen. `before`: the message does not arrive. `after`: it does, its answer does not. `hold`: it waits for `then`, then goes on. */
export interface Fault {
  readonly at: string;
  readonly how: "before" | "after" | "hold";
  /** Messages that hold the text and pass before the one that is meant. Default 0. */
  readonly skip?: number;
  /** Done when the message is seen; with `after`, when it was answered. */
  readonly then?: () => void | Promise<void>;
}

/** Passes connections on to a port until told otherwise. */
export class FaultProxy {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  #faults: { readonly fault: Fault; skip: number }[] = [];

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((client) => this.#pass(client));
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many faults are still to come. */
  get pending(): number {
    return this.#faults.length;
  }

  /** Each happens once, in this order. */
  plan(...faults: readonly Fault[]): void {
    this.#faults.push(...faults.map((fault) => ({ fault, skip: fault.skip ?? 0 })));
  }

  /** Cuts all connections there are. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(client: Socket): void {
    const server = connect(this.#targetPort, "127.0.0.1");
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    let cutAtAnswer: Fault | undefined;
    server.on("data", (data) => {
      if (cutAtAnswer === undefined) return void client.write(data);
      client.destroy();
      void cutAtAnswer.then?.();
      cutAtAnswer = undefined;
    });
    client.on("data", (data) => {
      const fault = this.#due(data);
      if (fault === undefined) return void server.write(data);
      if (fault.how === "before") {
        client.destroy();
        void fault.then?.();
      } else if (fault.how === "after") {
        cutAtAnswer = fault;
        server.write(data);
      } else void Promise.resolve(fault.then?.()).then(() => server.write(data));
    });
  }

  #due(data: Buffer): Fault | undefined {
    const next = this.#faults[0];
    if (next === undefined || !data.includes(next.fault.at)) return undefined;
    if (next.skip-- > 0) return undefined;
    this.#faults.shift();
    return next.fault;
  }
}
