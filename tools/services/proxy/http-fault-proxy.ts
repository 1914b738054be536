import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What happens to a request instead of being passed on. */
export type HttpFault =
  | { readonly kind: "status"; readonly status: number }
  /** The server has done it, and the answer never comes. */
  | { readonly kind: "lost answer" }
  /** The answer breaks off after so many bytes. */
  | { readonly kind: "cut"; readonly afterBytes: number };

/** A proxy before a server of HTTP that lets requests fail as servers do, which a TCP proxy cannot. Signatures of S3 hold, since the host in the request is passed on as it is. */
export class HttpFaultProxy {
  readonly #server: Server;
  readonly #target: number;
  /** Asked for every request; `undefined` passes it on. */
  fault: (method: string, url: string) => HttpFault | undefined = () => undefined;
  faults = 0;

  private constructor(target: number) {
    this.#target = target;
    this.#server = createServer((from, to) => this.#pass(from, to));
  }

  static async start(target: number): Promise<HttpFaultProxy> {
    const proxy = new HttpFaultProxy(target);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #pass(from: IncomingMessage, to: ServerResponse): void {
    const fault = this.fault(from.method!, from.url!);
    if (fault !== undefined) this.faults++;
    if (fault?.kind === "status") {
      from.resume();
      from.on("end", () => to.writeHead(fault.status, { "content-type": "application/xml" }).end(`<Error><Code>${fault.status === 503 ? "SlowDown" : "InternalError"}</Code></Error>`));
      return;
    }
    const onward = request({ host: "127.0.0.1", port: this.#target, method: from.method, path: from.url, headers: from.headers }, (answer) => {
      if (fault?.kind === "lost answer") {
        answer.resume();
        answer.on("end", () => to.destroy());
        return;
      }
      to.writeHead(answer.statusCode!, answer.headers);
      if (fault?.kind !== "cut") return void answer.pipe(to);
      let left = fault.afterBytes;
      answer.on("data", (chunk: Buffer) => {
        to.write(chunk.subarray(0, Math.max(0, left)));
        left -= chunk.length;
        if (left <= 0) answer.destroy();
      });
      answer.on("close", () => to.socket?.end(() => to.destroy()));
    });
    onward.on("error", () => to.destroy());
    from.pipe(onward);
  }
}
