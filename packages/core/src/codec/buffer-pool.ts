const MAX_BUFFERS = 32;
const MAX_BYTES = 1 << 23;
/** Smaller ones cost less to make than to keep. */
const SMALLEST_KEPT = 1 << 12;
/** A buffer is too large for what needs less than this part of it. */
const MAX_WASTE = 4;

/**
 * Buffers of one thread that can be filled again. A slot that sends about as much as it receives fills the buffers it has read, so that an exchange in
 * both directions allocates nothing: making a large `ArrayBuffer` (zeroed memory, its page faults, its collection) costs more than copying into it.
 *
 * Bounded in number and bytes: the oldest are left to the garbage collector.
 */
export class BufferPool {
  private readonly buffers: ArrayBuffer[] = [];
  private bytes = 0;

  /** A buffer of at least `bytes` bytes with any content, and not many times larger. */
  take(bytes: number): ArrayBuffer | undefined {
    return this.takeBetween(bytes, bytes * MAX_WASTE);
  }

  /** A buffer of exactly `bytes` bytes with any content. */
  takeExactly(bytes: number): ArrayBuffer | undefined {
    return this.takeBetween(bytes, bytes);
  }

  private takeBetween(least: number, most: number): ArrayBuffer | undefined {
    const { buffers } = this;
    for (let i = buffers.length - 1; i >= 0; i--) {
      const buffer = buffers[i]!;
      if (buffer.byteLength < least || buffer.byteLength > most) continue;
      buffers[i] = buffers[buffers.length - 1]!;
      buffers.pop();
      this.bytes -= buffer.byteLength;
      return buffer;
    }
    return undefined;
  }

  /** Nobody else may use the buffer any more. */
  give(buffer: ArrayBuffer): void {
    const { buffers } = this;
    const { byteLength } = buffer;
    // Typed arrays of eight-byte elements must be able to lie over all of it.
    if (byteLength < SMALLEST_KEPT || byteLength > MAX_BYTES || byteLength % 8 !== 0) return;
    buffers.push(buffer);
    this.bytes += byteLength;
    while (buffers.length > MAX_BUFFERS || this.bytes > MAX_BYTES) this.bytes -= buffers.shift()!.byteLength;
  }
}
