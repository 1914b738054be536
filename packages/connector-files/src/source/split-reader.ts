import { MillraceError } from "@millrace/core";
import type { Counter, FileSystem, ReaderOutput } from "@millrace/core";
import { DecodedBlock } from "../format/record-format.js";
import type { RecordDecoder, RecordFormat } from "../format/record-format.js";
import { ByteStream } from "./byte-stream.js";
import { openDecompressed } from "./compression.js";
import type { Compression } from "./compression.js";
import type { FileSourceSplit } from "./file-source-split.js";
import type { OnMalformed } from "./file-source-options.js";
import { countNewlines } from "./line-numbers.js";
import type { SplitPoller } from "./split-poller.js";
import { MALFORMED_RECORDS, malformedError, malformedRecord, tooLargeError } from "./malformed-record.js";

/** Items per call: the size of the engine's batches. */
const BATCH_ITEMS = 1024;
const FIRST_WINDOW_BYTES = 32 * 1024;
const MIN_WINDOW_BYTES = 4 * 1024;
/** V8 keeps objects of 128 KiB and more on pages of their own, which costs half the speed; the text of a window may take two bytes a character. */
const MAX_WINDOW_BYTES = 60 * 1024;

/** What readers of one source share. */
export interface SplitReading<T> {
  readonly fs: FileSystem;
  readonly format: RecordFormat<T>;
  readonly onError: OnMalformed;
  readonly maxRecordBytes: number;
  readonly compression: (path: string) => Compression;
  readonly malformedCount: Counter;
}

/**
 * Reads one split: bytes come in the background, `poll` decodes them block by block and emits.
 *
 * Invariant: the position is (start of the current block, items of it emitted); blocks start where a record starts. So a restored reader that decodes
 * from there and drops that many items goes on exactly, however the bytes are cut into blocks the second time.
 */
export class SplitReader<T> implements SplitPoller<T> {
  readonly split: FileSourceSplit;
  readonly #reading: SplitReading<T>;
  readonly #wake: () => void;
  readonly #compression: Compression;
  #opening: Promise<void> | undefined;
  #stream: ByteStream | undefined;
  #decoder: RecordDecoder<T> | undefined;
  #error: unknown;
  /** False while the stream stands in the middle of a record of the split before. */
  #aligned: boolean = true;
  #started: boolean;
  #blockStart: number;
  #block: DecodedBlock<T> | undefined;
  #blockBytes: number = 0;
  #items: number = 0;
  #emitted: number = 0;
  #toSkip: number;
  #window: number = FIRST_WINDOW_BYTES;
  #held: number = 0;
  /** Newlines before the block; `undefined` when reading began in mid-file and nobody has asked. */
  #lines: number | undefined;
  #counting: boolean = false;

  constructor(split: FileSourceSplit, reading: SplitReading<T>, wake: () => void) {
    this.split = split;
    this.#reading = reading;
    this.#wake = wake;
    this.#compression = reading.compression(split.path);
    this.#started = split.position !== undefined;
    this.#blockStart = split.position?.byteOffset ?? split.startByte;
    this.#toSkip = split.position?.recordsToSkip ?? 0;
  }

  open(): void {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#error = error;
      this.#wake();
    });
  }

  get fetched(): boolean {
    return this.#stream?.done === true;
  }

  poll(output: ReaderOutput<T>): "emitted" | "wait" | "end" {
    this.open();
    for (;;) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#block === undefined) {
        const state = this.#decode();
        if (state !== "block") return state;
      }
      if (this.#needsLines()) return "wait";
      const emits = this.#emitted < this.#items;
      if (emits) this.#emit(output);
      if (this.#emitted >= this.#items) this.#finishBlock();
      if (emits) return "emitted";
    }
  }

  snapshot(): FileSourceSplit {
    if (!this.#started) return this.split;
    return { ...this.split, position: { byteOffset: this.#blockStart, recordsToSkip: this.#toSkip + this.#emitted } };
  }

  async close(): Promise<void> {
    await this.#opening;
    await this.#stream?.close();
  }

  get #splittable(): boolean {
    return this.#reading.format.splittable && this.#compression === "none";
  }

  async #open(): Promise<void> {
    const { fs, format, maxRecordBytes } = this.#reading;
    const { path, startByte, position } = this.split;
    const decoder = await format.createDecoder({
      path, maxRecordBytes, atFileStart: this.#blockStart === 0, readHead: (bytes) => this.#readHead(bytes),
    });
    const first = decoder.start;
    if (this.#blockStart === 0) this.#lines = 0;
    if (position === undefined && first !== undefined && first.byte >= startByte) {
      this.#blockStart = first.byte;
      this.#lines = first.lines;
    } else if (position === undefined && startByte > 0) {
      // The byte before tells whether a record starts right at the split.
      this.#blockStart = startByte - 1;
      this.#aligned = false;
    }
    const until = this.#splittable ? this.split.endByte : Number.POSITIVE_INFINITY;
    const reader = await openDecompressed(fs, path, this.#compression, this.#blockStart);
    this.#decoder = decoder;
    this.#stream = new ByteStream(reader, this.#blockStart, until, this.#wake);
    this.#wake();
  }

  async #readHead(bytes: number): Promise<Uint8Array> {
    const reader = await openDecompressed(this.#reading.fs, this.split.path, this.#compression, 0);
    try {
      const parts: Uint8Array[] = [];
      let length = 0;
      while (length < bytes) {
        const part = await reader.read(bytes - length);
        if (part === undefined) break;
        parts.push(part);
        length += part.length;
      }
      return Buffer.concat(parts, length);
    } finally {
      await reader.close();
    }
  }

  /** Decodes the next block, if its bytes are there. */
  #decode(): "block" | "wait" | "end" {
    const stream = this.#stream;
    if (stream === undefined) return "wait";
    if (stream.error !== undefined) throw stream.error;
    if (!this.#aligned) {
      const state = this.#align(stream);
      if (state !== "aligned") return state;
    }
    const limit = this.#splittable ? this.split.endByte - this.#blockStart : Number.POSITIVE_INFINITY;
    if (limit <= 0) return "end";
    const wanted = Math.min(this.#window, this.#reading.maxRecordBytes);
    let bytes = stream.peek(wanted);
    let final = stream.ended && bytes.length === stream.available;
    if (bytes.length === 0) {
      if (!final) return "wait";
      if (Number.isFinite(limit)) throw this.#truncated();
      return "end";
    }
    if (bytes.length >= limit) {
      const rest = this.#decoder!.skipToRecord!(bytes.subarray(limit - 1));
      if (rest >= 0) {
        bytes = bytes.subarray(0, limit - 1 + rest);
        final = true;
      }
    } else if (final && Number.isFinite(limit)) throw this.#truncated();
    const block = new DecodedBlock<T>();
    // A peek that was cut short by the read-ahead, not by the end, holds no more records than at the last try.
    const consumed = final || bytes.length > this.#held ? this.#decoder!.decode(bytes, final, block) : 0;
    if (consumed === 0 && final) throw this.#stuck(bytes.length);
    if (consumed === 0) return this.#grow(stream, bytes.length, wanted);
    this.#begin(block, consumed);
    return "block";
  }

  #begin(block: DecodedBlock<T>, bytes: number): void {
    this.#started = true;
    this.#held = 0;
    this.#block = block;
    this.#blockBytes = bytes;
    // Kept apart from the block, whose array belongs to the engine once it is emitted.
    this.#items = block.items;
    this.#emitted = Math.min(this.#toSkip, this.#items);
    this.#toSkip -= this.#emitted;
    if (this.#items > 0) {
      const ideal = Math.ceil((bytes / this.#items) * BATCH_ITEMS);
      this.#window = Math.max(MIN_WINDOW_BYTES, Math.min(MAX_WINDOW_BYTES, ideal));
    }
  }

  #finishBlock(): void {
    this.#blockStart += this.#blockBytes;
    if (this.#lines !== undefined) this.#lines += this.#block!.lines;
    this.#stream!.consume(this.#blockBytes);
    this.#block = undefined;
    this.#emitted = 0;
  }

  /** No whole record within `held` bytes: look at twice as many next time, so that a long record is not scanned over and over. */
  #grow(stream: ByteStream, held: number, wanted: number): "block" | "wait" | "end" {
    if (held >= this.#reading.maxRecordBytes) {
      this.#countLines();
      if (this.#lines === undefined) return "wait";
      throw tooLargeError(this.split.path, this.#lines + 1, this.#reading.maxRecordBytes, this.#reading.format.name);
    }
    this.#held = held;
    if (held >= wanted) this.#window = wanted * 2;
    if (stream.available > held) return this.#decode();
    stream.fetchMore(Math.max(held * 2, MIN_WINDOW_BYTES));
    return stream.ended ? this.#decode() : "wait";
  }

  /** Drops the end of the record that belongs to the split before. */
  #align(stream: ByteStream): "aligned" | "wait" | "end" {
    for (;;) {
      const bytes = stream.peek(MAX_WINDOW_BYTES);
      if (bytes.length === 0) {
        if (stream.ended) return "end";
        stream.fetchMore(MAX_WINDOW_BYTES);
        return stream.ended ? "end" : "wait";
      }
      const skip = this.#decoder!.skipToRecord!(bytes);
      const dropped = skip < 0 ? bytes.length : skip;
      stream.consume(dropped);
      this.#blockStart += dropped;
      if (this.#blockStart >= this.split.endByte) return "end";
      if (skip >= 0) {
        this.#aligned = true;
        return "aligned";
      }
    }
  }

  #emit(output: ReaderOutput<T>): void {
    const block = this.#block!;
    const { values, malformed } = block;
    if (malformed.length === 0) {
      if (this.#emitted === 0 && values.length <= 2 * BATCH_ITEMS) {
        this.#emitted = values.length;
        if (values.length > 0) output.collectBatch(values, null);
        return;
      }
      const to = Math.min(values.length, this.#emitted + BATCH_ITEMS);
      if (to > this.#emitted) output.collectBatch(values.slice(this.#emitted, to), null);
      this.#emitted = to;
      return;
    }
    const to = Math.min(this.#items, this.#emitted + BATCH_ITEMS);
    // Item k is malformed[m] when m malformed ones and malformed[m].at values come before it.
    let m = 0;
    while (m < malformed.length && malformed[m]!.at + m < this.#emitted) m++;
    while (this.#emitted < to) {
      const bad = malformed[m];
      const nextBad = bad === undefined ? Number.POSITIVE_INFINITY : bad.at + m;
      if (this.#emitted === nextBad) {
        this.#emitMalformed(m++, output);
        this.#emitted++;
      } else {
        const end = Math.min(to, nextBad);
        output.collectBatch(values.slice(this.#emitted - m, end - m), null);
        this.#emitted = end;
      }
    }
  }

  #emitMalformed(index: number, output: ReaderOutput<T>): void {
    const { onError, malformedCount, format } = this.#reading;
    malformedCount.inc();
    if (onError === "skip") return;
    const record = malformedRecord(this.split.path, this.#block!.malformed[index]!, this.#lines!);
    if (onError === "fail") throw malformedError(record, format.name);
    output.sideOutput(MALFORMED_RECORDS.id, record);
  }

  /** True while the block's line numbers are needed and not there yet. */
  #needsLines(): boolean {
    if (this.#lines !== undefined || this.#reading.onError === "skip" || this.#block!.malformed.length === 0) return false;
    this.#countLines();
    return true;
  }

  #countLines(): void {
    if (this.#lines !== undefined || this.#counting) return;
    this.#counting = true;
    const { fs } = this.#reading;
    countNewlines(fs, this.split.path, this.#compression, this.#blockStart).then(
      (lines) => (this.#lines = lines),
      (error: unknown) => (this.#error = error),
    ).finally(() => {
      this.#counting = false;
      this.#wake();
    });
  }

  #stuck(bytes: number): MillraceError {
    return new MillraceError({
      code: "FORMAT_CONTRACT", message: `the format "${this.#reading.format.name}" took none of the last ${bytes} bytes of "${this.split.path}"`,
      hint: "a decoder must take all bytes when `final` is true", location: { file: this.split.path },
    });
  }

  #truncated(): MillraceError {
    return new MillraceError({
      code: "FILE_TRUNCATED", message: `"${this.split.path}" became shorter than ${this.split.endByte} bytes while it was read`,
      hint: "files must not change once they are there; write them elsewhere and move them in", location: { file: this.split.path },
    });
  }
}
