import type { Connection } from "@millrace/core";

/** What a slot knows once it belongs to a job: its own number, and the secret that all slots of this epoch share. */
export interface SlotIdentity {
  readonly slotIndex: number;
  /** 32 hexadecimal digits. */
  readonly secret: string;
}

/** "MLSL", a version, the secret, the sender's and the receiver's slot. */
const MAGIC = [0x4d, 0x4c, 0x53, 0x4c, 1];
const SECRET_CHARACTERS = 32;
export const HANDSHAKE_BYTES = MAGIC.length + SECRET_CHARACTERS + 8;

/** The same connection, as if what was read beyond the handshake were still to come. */
export function withBytesAhead(connection: Connection, ahead: Uint8Array): Connection {
  const rest = ahead.slice();
  const wrapped: Connection = {
    peer: connection.peer,
    get onData() {
      return connection.onData;
    },
    set onData(take) {
      if (rest.length > 0) take?.(rest);
      connection.onData = take;
      connection.resume();
    },
    get readInto() {
      return connection.readInto;
    },
    set readInto(name) {
      connection.readInto = name;
    },
    get onClose() {
      return connection.onClose;
    },
    set onClose(report) {
      connection.onClose = report;
    },
    write: (bytes, sent) => connection.write(bytes, sent),
    flush: () => connection.flush?.(),
    drained: () => connection.drained(),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    close: () => connection.close(),
  };
  return wrapped;
}

/** What the connecting slot sends first. */
export function encodeHandshake({ slotIndex, secret }: SlotIdentity, peerSlot: number): Uint8Array {
  const bytes = new Uint8Array(HANDSHAKE_BYTES);
  bytes.set(MAGIC);
  bytes.set(secretBytes(secret), MAGIC.length);
  const slots = new DataView(bytes.buffer, MAGIC.length + SECRET_CHARACTERS);
  slots.setUint32(0, slotIndex);
  slots.setUint32(4, peerSlot);
  return bytes;
}

/** The sender's slot; `undefined` when it is not one of ours. Takes as long for every wrong secret. */
export function checkHandshake(bytes: Uint8Array, { slotIndex, secret }: SlotIdentity): number | undefined {
  const expected = [...MAGIC, ...secretBytes(secret)];
  let difference = 0;
  for (let i = 0; i < expected.length; i++) difference |= bytes[i]! ^ expected[i]!;
  const slots = new DataView(bytes.buffer, MAGIC.length + SECRET_CHARACTERS);
  return difference === 0 && slots.getUint32(4) === slotIndex ? slots.getUint32(0) : undefined;
}

function secretBytes(secret: string): Uint8Array {
  return Uint8Array.from({ length: SECRET_CHARACTERS }, (_, i) => secret.charCodeAt(i));
}
