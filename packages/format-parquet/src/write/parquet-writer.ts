import { MillraceError } from "@millrace/core";
import type { BulkWriter, BulkWriterFactory } from "@millrace/core";
import { ByteWriter, ParquetWriter as LibraryWriter } from "hyparquet-writer";
import { CODECS, compressors } from "../compression.js";
import type { ParquetCompression } from "../compression.js";
import type { ParquetColumns, ParquetRecord } from "../schema/parquet-columns.js";
import { nodesOf } from "../schema/parquet-node.js";
import type { ParquetNode } from "../schema/parquet-node.js";
import { schemaElements } from "../schema/schema-elements.js";
import { valueWriter } from "./value-writer.js";
import type { SizeEstimate, ValueWriter } from "./value-writer.js";

/** How Parquet files are written. */
export interface ParquetWriterOptions<C extends ParquetColumns> {
  /** Default `"snappy"`. */
  readonly compression?: ParquetCompression;
  /** Values of a row group, before encoding, about. It is in memory until it is full, once for each open bucket. Default 32 MiB. */
  readonly rowGroupSizeBytes?: number;
  /** Default 122 880. */
  readonly rowGroupRows?: number;
  /** Default 1 MiB. */
  readonly pageSizeBytes?: number;
  /** Columns with a Bloom filter in each row group: readers that look for single values skip row groups by it. */
  readonly bloomFilters?: readonly (keyof C & string)[];
  /** Entries of the file's metadata. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes Parquet files: for `FileSink.forBulkFormat`. With statistics and page indexes, by which readers skip what they need not read. Flink: ParquetWriterFactory.
 *
 * ```ts
 * FileSink.forBulkFormat("flights", parquetWriter({ carrier: "string", delay: "int32?", at: "timestamp-millis" }));
 * ```
 * @throws `FORMAT_SCHEMA_INVALID`, `OPTION_INVALID`
 */
export function parquetWriter<const C extends ParquetColumns>(columns: C, options: ParquetWriterOptions<C> = {}): BulkWriterFactory<ParquetRecord<C>> {
  const nodes = nodesOf(columns);
  const { compression = "snappy", rowGroupSizeBytes = 32 * 1024 * 1024, rowGroupRows = 122_880, pageSizeBytes = 1024 * 1024, bloomFilters = [], metadata = {} } = options;
  if (!Object.hasOwn(CODECS, compression)) throw invalid("compression", `"${String(compression)}" is none of ${Object.keys(CODECS).join(", ")}`);
  for (const [option, value] of Object.entries({ rowGroupSizeBytes, rowGroupRows, pageSizeBytes })) if (!(Number.isSafeInteger(value) && value > 0)) throw invalid(option, `${option} is ${value}`);
  for (const name of bloomFilters) if (nodes.get(name)?.kind !== "leaf") throw invalid("bloomFilters", `"${name}" is no column of single values`);
  const settings: WriterSettings = { nodes, compression, rowGroupSizeBytes, rowGroupRows, pageSizeBytes, bloomFilters: new Set<string>(bloomFilters), metadata };
  return { name: "Parquet", suffix: ".parquet", createWriter: () => new ParquetWriter<ParquetRecord<C>>(settings) };
}

interface WriterSettings {
  readonly nodes: ReadonlyMap<string, ParquetNode>;
  readonly compression: ParquetCompression;
  readonly rowGroupSizeBytes: number;
  readonly rowGroupRows: number;
  readonly pageSizeBytes: number;
  readonly bloomFilters: ReadonlySet<string>;
  readonly metadata: Readonly<Record<string, string>>;
}

class ParquetWriter<T> implements BulkWriter<T> {
  readonly #settings: WriterSettings;
  readonly #output = new ByteWriter(64 * 1024);
  readonly #library: LibraryWriter;
  readonly #columns: readonly { readonly name: string; readonly write: ValueWriter; data: unknown[] }[];
  readonly #size: SizeEstimate = { bytes: 0 };
  #rows: number = 0;

  constructor(settings: WriterSettings) {
    this.#settings = settings;
    this.#columns = [...settings.nodes].map(([name, node]) => ({ name, write: valueWriter(node), data: [] }));
    const kvMetadata = Object.entries(settings.metadata).map(([key, value]) => ({ key, value }));
    this.#library = new LibraryWriter({
      writer: this.#output as never, schema: schemaElements(settings.nodes), codec: CODECS[settings.compression], compressors, createdBy: "Millrace",
      // An empty list is written in a way that DuckDB takes for damage.
      ...(kvMetadata.length === 0 ? {} : { kvMetadata }),
    });
  }

  addElement(value: T): void {
    for (const { name, write, data } of this.#columns) data.push(write((value as Record<string, unknown>)[name], name, this.#size));
    this.#rows++;
    if (this.#rows >= this.#settings.rowGroupRows || this.#size.bytes >= this.#settings.rowGroupSizeBytes) this.#endRowGroup();
  }

  get encodedBytes(): number {
    return this.#output.index;
  }

  get bufferedBytes(): number {
    return this.#output.index + this.#size.bytes;
  }

  takeBytes(): Uint8Array {
    const bytes = this.#output.getBytes().slice();
    this.#output.index = 0;
    return bytes;
  }

  finish(): Uint8Array {
    if (this.#rows > 0) this.#endRowGroup();
    void this.#library.finish();
    return this.takeBytes();
  }

  #endRowGroup(): void {
    const { bloomFilters, pageSizeBytes } = this.#settings;
    const columnData = this.#columns.map(({ name, data }) => ({ name, data, columnIndex: true, bloomFilter: bloomFilters.has(name) }));
    // Into memory, and so at once: there is nothing to wait for.
    void this.#library.write({ columnData, rowGroupSize: this.#rows, pageSize: pageSizeBytes });
    for (const column of this.#columns) column.data = [];
    this.#rows = 0;
    this.#size.bytes = 0;
  }
}

function invalid(option: string, message: string): MillraceError {
  return new MillraceError({ code: "OPTION_INVALID", message, location: { option } });
}
