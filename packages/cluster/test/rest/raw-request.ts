import { connect } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";

export interface RawResponse {
  readonly status: number;
  readonly headers: string;
  readonly body: string;
}

/** Sends exactly these bytes and reads what comes until the connection ends: nothing tidies the path, the Host or the body on the way. */
export function raw(port: number, request: string, tls?: ConnectionOptions): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const socket = tls === undefined ? connect(port, "localhost") : connectTls({ port, host: "localhost", ...tls });
    let text = "";
    socket.on("data", (chunk) => (text += chunk.toString("latin1")));
    socket.on("error", (error) => (text === "" ? reject(error) : undefined));
    socket.on("close", () => {
      const at = text.indexOf("\r\n\r\n");
      if (text === "") return reject(new Error("the connection was closed without an answer"));
      resolve({ status: Number(text.split(" ")[1]), headers: text.slice(0, at).toLowerCase(), body: text.slice(at + 4) });
    });
    socket.on(tls === undefined ? "connect" : "secureConnect", () => socket.write(request));
  });
}

/** A request with the headers every client sends, over those given. */
export function http(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body = ""): string {
  const all = { host: "localhost", connection: "close", ...(body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) }), ...headers };
  return `${method} ${path} HTTP/1.1\r\n${Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`;
}
