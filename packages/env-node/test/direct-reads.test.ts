import assert from "node:assert/strict";
import { test } from "node:test";
import type { Connection } from "@millrace/core";
import { createNodeEnv } from "../src/index.js";

const env = createNodeEnv();

/** Both ends of a TCP connection: the one that connected, and the one that was accepted. */
async function ends(t: { after(close: () => Promise<void>): void }): Promise<readonly [Connection, Connection]> {
  let accepted: (connection: Connection) => void;
  const other = new Promise<Connection>((resolve) => (accepted = resolve));
  const listener = await env.net.listen("127.0.0.1", 0, (connection) => accepted(connection));
  const one = await env.net.connect("127.0.0.1", listener.port);
  t.after(() => listener.close());
  return [one, await other];
}

const counted = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 31);

for (const side of [0, 1] as const) {
  const name = side === 0 ? "connected" : "was accepted";

  test(`the side that ${name} reads into the array it names`, async (t) => {
    const both = await ends(t);
    const [reader, writer] = [both[side], both[1 - side]!];
    const wanted = counted(300_000);
    const place = new Uint8Array(wanted.length);
    let filled = 0;
    let inPlace = 0;
    const whole = new Promise<void>((resolve) => {
      reader.readInto = () => place.subarray(filled);
      reader.onData = (bytes) => {
        if (bytes.buffer === place.buffer) inPlace += bytes.length;
        else place.set(bytes, filled);
        filled += bytes.length;
        if (filled === place.length) resolve();
      };
    });
    writer.write(wanted);
    await whole;
    assert.deepEqual(place, wanted);
    // The first read had its place before one was named.
    assert.ok(inPlace > 0);
    const closed = new Promise<void>((resolve) => (reader.onClose = () => resolve()));
    writer.close();
    await closed;
  });

  test(`what the side that ${name} was given stays, unless it names a place`, async (t) => {
    const both = await ends(t);
    const [reader, writer] = [both[side], both[1 - side]!];
    const wanted = counted(200_000);
    const pieces: Uint8Array[] = [];
    let filled = 0;
    const whole = new Promise<void>((resolve) => {
      reader.onData = (bytes) => {
        pieces.push(bytes);
        filled += bytes.length;
        // Pauses between pieces lose nothing.
        reader.pause();
        env.clock.yieldThen(() => reader.resume());
        if (filled === wanted.length) resolve();
      };
    });
    writer.write(wanted);
    await whole;
    assert.deepEqual(Buffer.concat(pieces), Buffer.from(wanted));
    const closed = new Promise<void>((resolve) => (reader.onClose = () => resolve()));
    writer.close();
    await closed;
    reader.close();
  });
}
