import { MillraceError } from "@millrace/core";

/** Writes ZooKeeper's wire format (jute): big-endian numbers, length-prefixed strings and buffers, -1 for null. */
export class JuteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  int(value: number): this {
    const at = this.#grow(4);
    new DataView(this.#bytes.buffer).setInt32(at, value);
    return this;
  }

  long(value: bigint): this {
    const at = this.#grow(8);
    new DataView(this.#bytes.buffer).setBigInt64(at, value);
    return this;
  }

  bool(value: boolean): this {
    // Growing replaces the bytes: they are looked up after it.
    const at = this.#grow(1);
    this.#bytes[at] = value ? 1 : 0;
    return this;
  }

  buffer(value: Uint8Array): this {
    this.int(value.length);
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  string(value: string): this {
    return this.buffer(new TextEncoder().encode(value));
  }

  strings(values: readonly string[]): this {
    this.int(values.length);
    for (const value of values) this.string(value);
    return this;
  }

  /** The packet: what was written, behind its length. */
  packet(): Uint8Array {
    const packet = new Uint8Array(4 + this.#length);
    new DataView(packet.buffer).setInt32(0, this.#length);
    packet.set(this.#bytes.subarray(0, this.#length), 4);
    return packet;
  }

  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return at;
  }
}

/** Reads jute. Every length is checked against what is there. @throws `ZOOKEEPER_PROTOCOL` */
export class JuteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  int(): number {
    return this.#view.getInt32(this.#take(4));
  }

  long(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }

  bool(): boolean {
    return this.#bytes[this.#take(1)] !== 0;
  }

  buffer(): Uint8Array {
    const length = this.int();
    if (length <= 0) return new Uint8Array();
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  string(): string {
    return new TextDecoder().decode(this.buffer());
  }

  strings(): string[] {
    const count = this.int();
    const values: string[] = [];
    for (let i = 0; i < count; i++) values.push(this.string());
    return values;
  }

  #take(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw protocolError(`a packet of ${this.#bytes.length} bytes ends within a field`);
    this.#at += count;
    return at;
  }
}

const MAX_PACKET_BYTES = 8 * 1024 * 1024;

/** Cuts a byte stream into packets. @throws `ZOOKEEPER_PROTOCOL` for a length that cannot be */
export class PacketSplitter {
  #pending: Uint8Array = new Uint8Array();

  push(bytes: Uint8Array): Uint8Array[] {
    let rest = bytes;
    if (this.#pending.length > 0) {
      rest = new Uint8Array(this.#pending.length + bytes.length);
      rest.set(this.#pending);
      rest.set(bytes, this.#pending.length);
    }
    const packets: Uint8Array[] = [];
    while (rest.length >= 4) {
      const length = new DataView(rest.buffer, rest.byteOffset).getInt32(0);
      if (length < 0 || length > MAX_PACKET_BYTES) throw protocolError(`a packet of ${length} bytes was announced`);
      if (rest.length < 4 + length) break;
      packets.push(rest.slice(4, 4 + length));
      rest = rest.subarray(4 + length);
    }
    this.#pending = rest.slice();
    return packets;
  }
}

/** Whatever answers is not ZooKeeper, or broke its protocol. */
export function protocolError(message: string): MillraceError {
  return new MillraceError({ code: "ZOOKEEPER_PROTOCOL", message: `ZooKeeper sent what its protocol does not allow: ${message}`, hint: "check that high-availability.zookeeper.quorum names ZooKeeper servers", recovery: "retry" });
}
