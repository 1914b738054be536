import { readFileSync } from "node:fs";
import { createServer } from "node:net";

/** From here on, up to where the system's own begin. */
const FIRST_PORT = 10_240;
/** Where most systems begin with the ports that they give away, when this one does not tell. */
const USUAL_FIRST_GIVEN = 32_768;
/** By this process: one server may ask for several ports before it listens on any. */
const given = new Set<number>();

/**
 * A port of the loopback that nobody listens on now, below those that the system gives to connections and to whoever asks for any port: nobody comes by it
 * while a server that has it is down for a moment. Somebody who chooses his ports may still take it before it is used: be ready to ask again.
 */
export async function freePort(): Promise<number> {
  const room = firstGivenPort() - FIRST_PORT;
  // A system that gives away nearly all ports gives this one, too.
  if (room < 1000) return (await listened(0))!;
  for (;;) {
    const port = await listened(FIRST_PORT + Math.floor(Math.random() * room));
    if (port === undefined || given.has(port)) continue;
    given.add(port);
    return port;
  }
}

function firstGivenPort(): number {
  try {
    return Number.parseInt(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"), 10);
  } catch {
    return USUAL_FIRST_GIVEN;
  }
}

/** Listens for a moment. @returns the port; `undefined` when somebody has it */
function listened(wanted: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(wanted, "127.0.0.1", () => {
      const { port } = server.address() as { readonly port: number };
      server.close(() => resolve(port));
    });
  });
}
