// What raw sockets of Node carry between two processes: blocks of 32 KiB in one direction. Prints a line of JSON like the other loops.
import { fork } from "node:child_process";
import { connect, createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { block, BLOCK_BYTES } from "../data/blocks.js";
import { Checksum, fold, HASH_START } from "../data/checksum.js";

interface Received {
  readonly endNs: string;
  readonly cpuMicros: number;
  readonly outputs: number;
  readonly checksum: number;
}

if (process.send === undefined) await sendAll((JSON.parse(process.argv[2]!) as { readonly records: number }).records);
else receive();

/** The child: listens, says where, and takes one connection to its end. */
function receive(): void {
  const out = new Checksum();
  let at = 0;
  let first = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("data", (chunk: Buffer) => {
      for (let i = 0; i < chunk.length;) {
        if (at === 0) first = chunk[i]!;
        const count = Math.min(BLOCK_BYTES - at, chunk.length - i);
        at += count;
        i += count;
        if (at < BLOCK_BYTES) continue;
        out.add(fold(fold(HASH_START, first), chunk[i - 1]!));
        at = 0;
      }
    });
    socket.once("end", () => {
      const { user, system } = process.cpuUsage();
      process.send!({ endNs: String(process.hrtime.bigint()), cpuMicros: user + system, outputs: out.outputs, checksum: out.sum } satisfies Received);
      server.close();
      process.disconnect();
    });
  });
  server.listen(0, "127.0.0.1", () => process.send!((server.address() as AddressInfo).port));
}

async function sendAll(records: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: process.execArgv });
  const port = await new Promise<number>((resolve) => child.once("message", resolve));
  const received = new Promise<Received>((resolve) => child.once("message", resolve));
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  await new Promise((resolve) => socket.once("connect", resolve));
  const startNs = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  for (let i = 0; i < records; i++) if (!socket.write(block(i))) await new Promise((resolve) => socket.once("drain", resolve));
  socket.end();
  const { endNs, cpuMicros, outputs, checksum } = await received;
  const { user, system } = process.cpuUsage(cpu);
  console.log(JSON.stringify({ records, seconds: Number(BigInt(endNs) - startNs) / 1e9, cpuSeconds: (user + system + cpuMicros) / 1e6, outputs, checksum }));
}
