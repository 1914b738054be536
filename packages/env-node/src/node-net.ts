import * as net from "node:net";
import { MillraceError, type Connection, type Net } from "@millrace/core";
import { NodeConnection } from "./node-connection.js";

/** TCP over `node:net`, without delay for small writes. Every open connection and listener keeps the process alive. */
export class NodeNet implements Net {
  /** `CONNECTION_FAILED` (worth a retry) when nobody answers. */
  connect(host: string, port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host, port, noDelay: true });
      const fail = (cause: NodeJS.ErrnoException): void => {
        reject(
          new MillraceError({
            code: "CONNECTION_FAILED",
            message: `cannot connect to ${host}:${port}: ${cause.code ?? cause.message}`,
            hint: "check that the other side is running and that the address is right",
            recovery: "retry",
            cause,
          }),
        );
      };
      socket.once("error", fail);
      socket.once("connect", () => {
        socket.off("error", fail);
        resolve(new NodeConnection(socket));
      });
    });
  }

  /** Port 0 takes a free one. `ADDRESS_IN_USE` or `ADDRESS_UNAVAILABLE` when the address cannot be had. Closing leaves accepted connections open. */
  listen(host: string, port: number, accept: (connection: Connection) => void): Promise<{ readonly port: number; close(): Promise<void> }> {
    return new Promise((resolve, reject) => {
      const server = net.createServer({ noDelay: true, pauseOnConnect: true }, (socket) => accept(new NodeConnection(socket)));
      server.once("error", (cause: NodeJS.ErrnoException) => reject(listenError(cause, host, port)));
      server.listen({ host, port }, () => {
        resolve({
          port: (server.address() as net.AddressInfo).port,
          close: async () => {
            server.close();
          },
        });
      });
    });
  }
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): MillraceError {
  const inUse = cause.code === "EADDRINUSE";
  return new MillraceError({
    code: inUse ? "ADDRESS_IN_USE" : "ADDRESS_UNAVAILABLE",
    message: `cannot listen on ${host}:${port}: ${inUse ? "another program already does" : (cause.code ?? cause.message)}`,
    hint: inUse ? "stop that program or choose another port" : "choose an address of this machine and a port you may use",
    cause,
  });
}
