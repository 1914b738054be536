const ZSTANDARD = 0xfd2fb528;
/** Sixteen magic numbers of frames that hold something else, to be passed over. */
const SKIPPABLE = 0x184d2a50;
const HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE = 1;

/** What of a frame is read next. */
type Place = "magic" | "skippable size" | "descriptor" | "header" | "block header" | "block" | "checksum" | "end";

/**
 * Follows the structure of one frame, of which it decompresses nothing: where it ends, and what it says about its content.
 * @see https://datatracker.ietf.org/doc/html/rfc8878#section-3.1
 */
export class ZstdFrame {
  /** Bytes of the frame so far. */
  sizeBytes: number = 0;
  /** The frame ends with a checksum. Known with the first block. */
  hasChecksum: boolean = false;
  /** The lower half of the content's XXH64, once the frame is complete. */
  checksum: number = 0;
  /** Of the content, when the frame tells it. */
  contentBytes: number | undefined = undefined;
  #place: Place = "magic";
  #wanted: number = 4;
  #descriptor: number = 0;
  #isLastBlock: boolean = false;
  /** The field that is being read; as long as the longest of them. */
  readonly #field = new Uint8Array(14);
  readonly #view = new DataView(this.#field.buffer);
  #filled: number = 0;

  get isComplete(): boolean {
    return this.#place === "end";
  }

  /** Reads on to the end of the frame, or of what there is. @returns where that is. @throws what is wrong, for the user */
  advance(bytes: Uint8Array, from: number): number {
    let at = from;
    while (this.#place !== "end" && at < bytes.length) {
      const count = Math.min(this.#wanted - this.#filled, bytes.length - at);
      if (this.#place !== "block") this.#field.set(bytes.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      while (this.#filled === this.#wanted && !this.isComplete) this.#take();
    }
    this.sizeBytes += at - from;
    return at;
  }

  #expect(place: Place, wanted: number): void {
    this.#place = place;
    this.#wanted = wanted;
    this.#filled = 0;
  }

  #take(): void {
    switch (this.#place) {
      case "magic": return this.#takeMagic(this.#view.getUint32(0, true));
      case "skippable size":
        this.#isLastBlock = true;
        return this.#expect("block", this.#view.getUint32(0, true));
      case "descriptor": return this.#takeDescriptor(this.#field[0]!);
      case "header":
        this.#takeHeader();
        return this.#expect("block header", HEADER_BYTES);
      case "block header": return this.#takeBlockHeader();
      case "block":
        if (!this.#isLastBlock) return this.#expect("block header", HEADER_BYTES);
        return this.hasChecksum ? this.#expect("checksum", CHECKSUM_BYTES) : this.#expect("end", 0);
      case "checksum":
        this.checksum = this.#view.getUint32(0, true);
        return this.#expect("end", 0);
      case "end":
    }
  }

  #takeMagic(magic: number): void {
    if (magic === ZSTANDARD) return this.#expect("descriptor", 1);
    if ((magic & ~15) !== SKIPPABLE) throw new Error("invalid zstd data: no frame begins there");
    this.#expect("skippable size", 4);
  }

  #takeDescriptor(descriptor: number): void {
    this.#descriptor = descriptor;
    this.hasChecksum = (descriptor & 4) !== 0;
    this.#expect("header", this.#windowBytes() + this.#dictionaryBytes() + this.#contentSizeBytes());
  }

  #windowBytes(): number {
    return this.#isSingleSegment() ? 0 : 1;
  }

  #dictionaryBytes(): number {
    return [0, 1, 2, 4][this.#descriptor & 3]!;
  }

  #contentSizeBytes(): number {
    return [this.#isSingleSegment() ? 1 : 0, 2, 4, 8][this.#descriptor >> 6]!;
  }

  #isSingleSegment(): boolean {
    return (this.#descriptor & 32) !== 0;
  }

  #takeHeader(): void {
    const dictionaryAt = this.#windowBytes();
    const sizeAt = dictionaryAt + this.#dictionaryBytes();
    if (this.#field.subarray(dictionaryAt, sizeAt).some((byte) => byte !== 0)) throw new Error("it was made with a dictionary, which is not supported");
    switch (this.#contentSizeBytes()) {
      case 1: this.contentBytes = this.#view.getUint8(sizeAt); break;
      case 2: this.contentBytes = this.#view.getUint16(sizeAt, true) + 256; break;
      case 4: this.contentBytes = this.#view.getUint32(sizeAt, true); break;
      case 8: this.contentBytes = this.#view.getUint32(sizeAt, true) + this.#view.getUint32(sizeAt + 4, true) * 2 ** 32; break;
    }
  }

  #takeBlockHeader(): void {
    const header = this.#field[0]! | (this.#field[1]! << 8) | (this.#field[2]! << 16);
    const type = (header >> 1) & 3;
    if (type > 2) throw new Error("invalid block type");
    this.#isLastBlock = (header & 1) !== 0;
    this.#expect("block", type === RLE ? 1 : header >> 3);
  }
}
