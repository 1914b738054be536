import type { TypeInformation } from "@millrace/core";

/**
 * How the bytes of a file become records: what plugs into `FileSource.forRecordFormat`.
 *
 * One format object serves all splits of a source; everything about one split lives in its decoder.
 */
export interface RecordFormat<T> {
  /** Shown in plans and errors, e.g. `"CSV"`. */
  readonly name: string;
  /** True when reading can start in the middle of a file; then decoders have {@link RecordDecoder.skipToRecord}. */
  readonly splittable: boolean;
  /** The type of the records, when the format knows it. */
  readonly producedType?: TypeInformation<T>;
  /** Called once per split and attempt, before its first byte. */
  createDecoder(context: DecoderContext): RecordDecoder<T> | Promise<RecordDecoder<T>>;
}

/** What a decoder is told about the split it will read. */
export interface DecoderContext {
  readonly path: string;
  /** True when `decode` will get the file's first byte (unless {@link RecordDecoder.start} says to begin behind it). */
  readonly atFileStart: boolean;
  readonly maxRecordBytes: number;
  /** The first bytes of the (decompressed) file, fewer than asked for when it is shorter: for headers. */
  readHead(bytes: number): Promise<Uint8Array>;
}

/** A record that could not be read. */
export interface MalformedItem {
  /** How many values of the block come before it. */
  readonly at: number;
  /** Newlines between the block's start and the line it is on. */
  readonly line: number;
  /** One-based column (in characters) on that line; 0 when unknown. */
  readonly column: number;
  readonly text: string;
  readonly message: string;
}

/** What one call of `decode` produced. */
export class DecodedBlock<T> {
  values: T[] = [];
  malformed: MalformedItem[] = [];
  /** Newlines (byte 10) among the bytes consumed: keeps line numbers right without a second look at the bytes. */
  lines: number = 0;

  /** Values and malformed items together: what `recordsToSkip` counts. */
  get items(): number {
    return this.values.length + this.malformed.length;
  }
}

/**
 * Decodes one split. Synchronous and without memory between calls, except for what the file's start defined (a header): after a failure a new
 * decoder goes on at the start of a block, and the reader counts items from there to return to its position.
 */
export interface RecordDecoder<T> {
  /** Where the file's first record may start (behind a header), and how many newlines come before it. Default: at the first byte. */
  readonly start?: { readonly byte: number; readonly lines: number } | undefined;
  /**
   * Appends to `block` the whole records at the start of `bytes` and returns how many bytes they took.
   *
   * 0 asks for more bytes. When `final` is true no more will come and all must be taken; the last record may lack its terminator then.
   * `bytes` is only valid during the call.
   */
  decode(bytes: Uint8Array, final: boolean, block: DecodedBlock<T>): number;
  /** Only of splittable formats: the offset behind the first record terminator in `bytes`, or -1 when there is none. */
  skipToRecord?(bytes: Uint8Array): number;
}
