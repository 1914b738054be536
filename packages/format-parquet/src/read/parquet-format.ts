import { MillraceError, isMillraceError, nearest } from "@millrace/core";
import type { BulkFormat, BulkReader, BulkSplit, RecordBlock } from "@millrace/core";
import { parquetScan } from "hyparquet";
import type { AsyncBuffer, DecodedArray, FileMetaData, ParquetScanOptions, RowGroup } from "hyparquet";
import { decompressors } from "../compression.js";
import { fileColumns, rawMetadata } from "../schema/file-schema.js";
import type { ParquetColumns, ParquetRecord } from "../schema/parquet-columns.js";
import { nodesOf, typeInformationOf } from "../schema/parquet-node.js";
import type { ParquetNode } from "../schema/parquet-node.js";
import { compileRows } from "./compile-rows.js";
import type { RowReader } from "./compile-rows.js";
import { compileFilter } from "./parquet-filter.js";
import type { CompiledFilter, ParquetColumnFilter, ParquetFilter } from "./parquet-filter.js";
import { corrupt, parsers, randomAccess, readMetadata, startOf } from "./parquet-file.js";
import { RowGroupBlock } from "./row-group-block.js";
import type { RowRange, RowReading } from "./row-group-block.js";
import { incompatible, valueReader } from "./value-reader.js";

const MOST_KNOWN_FILES = 2;

/** How Parquet files are read: with the columns you say. */
export interface ParquetFormatOptions<C extends ParquetColumns> {
  /** The columns to read, which files may have in any order and among others. */
  readonly schema: C;
  /** The rows to read. Row groups and pages that cannot hold one are not read, by statistics, page indexes and Bloom filters. */
  readonly filter?: ParquetColumnFilter<C>;
}

/** How Parquet files are read: with the columns they have. */
export interface UntypedParquetOptions<T> {
  readonly schema?: undefined;
  /** The columns to read. Default: all. */
  readonly columns?: readonly (keyof T & string)[];
  readonly filter?: ParquetFilter<T>;
}

/**
 * Parquet files: for `FileSource.forBulkFileFormat`. Row groups are read as splits, in parallel; a checkpoint holds the position to the row.
 *
 * With a `schema`, records are typed by it; a column that a file lacks is null, if it may be. Without one, records have the columns of their file, and `T`
 * is what you promise. Values are exact: see {@link ParquetScalar}. Errors: `FILE_CORRUPT` with the offset for files that are damaged or cut short,
 * `SCHEMA_INCOMPATIBLE`, `FORMAT_VALUE_UNFIT`. Flink: ParquetColumnarRowInputFormat.
 *
 * ```ts
 * FileSource.forBulkFileFormat(parquetFormat({ schema: { carrier: "string", delay: "int32?" }, filter: { delay: { gte: 60 } } }), "flights");
 * ```
 * @throws `FORMAT_SCHEMA_INVALID`, `OPTION_INVALID`
 */
export function parquetFormat<const C extends ParquetColumns>(options: ParquetFormatOptions<C>): BulkFormat<ParquetRecord<C>>;
export function parquetFormat<T = Record<string, unknown>>(options?: UntypedParquetOptions<T>): BulkFormat<T>;
export function parquetFormat(options: { readonly schema?: ParquetColumns | undefined; readonly columns?: readonly string[]; readonly filter?: object } = {}): BulkFormat<any> {
  const { schema, columns: projection } = options;
  const wanted = schema === undefined ? undefined : nodesOf(schema);
  const filter = (options.filter ?? {}) as Parameters<typeof compileFilter>[0];
  // Checked now rather than when the first file is opened.
  if (wanted !== undefined) compileFilter(filter, wanted, wanted);
  const compiledRows = new Map<string, RowReader>();
  const metadataOf = metadataCache();
  return {
    name: "Parquet",
    splittable: true,
    ...(wanted === undefined ? {} : { producedType: typeInformationOf(wanted) }),
    async open(split) {
      const file = randomAccess(split.fs, split.path, split.sizeBytes);
      const metadata = await metadataOf(split, file);
      const found = fileColumns(metadata);
      const columns = wanted ?? chosen(found, projection, split.path);
      const compiled = compileFilter(filter, wanted ?? found, found);
      return new ParquetReader(split, file, metadata, compiled, rowReading(split.path, columns, wanted ?? found, found, compiled, compiledRows));
    },
  };
}

/** The metadata of the files that were opened last: splits of one file come one after the other. */
function metadataCache(): (split: BulkSplit, file: AsyncBuffer) => Promise<FileMetaData> {
  const known = new Map<string, FileMetaData>();
  return async ({ path, sizeBytes, modifiedMs }, file) => {
    const key = `${path} ${sizeBytes} ${modifiedMs}`;
    const found = modifiedMs === undefined ? undefined : known.get(key);
    if (found !== undefined) return found;
    const metadata = await readMetadata(file, path);
    if (modifiedMs !== undefined) known.set(key, metadata);
    if (known.size > MOST_KNOWN_FILES) known.delete(known.keys().next().value!);
    return metadata;
  };
}

function chosen(found: ReadonlyMap<string, ParquetNode>, projection: readonly string[] | undefined, path: string): ReadonlyMap<string, ParquetNode> {
  if (projection === undefined) return found;
  return new Map(projection.map((name) => {
    const node = found.get(name);
    if (node !== undefined) return [name, node];
    const similar = nearest(name, [...found.keys()]);
    throw new MillraceError({
      code: "SCHEMA_INCOMPATIBLE", message: `"${path}" has no column "${name}"`, hint: similar === undefined ? `it has ${[...found.keys()].join(", ")}` : `did you mean "${similar}"?`, location: { file: path },
    });
  }));
}

function rowReading(path: string, columns: ReadonlyMap<string, ParquetNode>, all: ReadonlyMap<string, ParquetNode>, found: ReadonlyMap<string, ParquetNode>, { tests }: CompiledFilter, cache: Map<string, RowReader>): RowReading {
  const readerOf = (name: string): ReturnType<typeof valueReader> | undefined => {
    const wanted = all.get(name)!;
    const inFile = found.get(name);
    if (inFile !== undefined) return valueReader(inFile, wanted, name);
    if (!wanted.nullable) throw withFile(incompatible(name, undefined, wanted), path);
    return undefined;
  };
  try {
    const readers = new Map(tests.flatMap(({ column }) => {
      const read = readerOf(column);
      return read === undefined ? [] : [[column, read] as const];
    }));
    const output = [...columns.keys()].map((name) => ({ name, read: readerOf(name) }));
    return { path, tests, readers, columns: output, rows: compileRows(output, tests, readers, cache) };
  } catch (error) {
    throw isMillraceError(error) ? withFile(error, path) : error;
  }
}

function withFile(error: MillraceError, path: string): MillraceError {
  if (error.location.file !== undefined) return error;
  return new MillraceError({ code: error.code, message: `"${path}": ${error.message}`, ...(error.hint === undefined ? {} : { hint: error.hint }), location: { file: path } });
}

class ParquetReader implements BulkReader<unknown> {
  readonly #split: BulkSplit;
  readonly #file: AsyncBuffer;
  readonly #metadata: FileMetaData;
  readonly #raw: FileMetaData;
  readonly #filter: CompiledFilter;
  readonly #reading: RowReading;
  readonly #needed: readonly string[];
  #group: number = 0;
  #firstRow: number = 0;

  constructor(split: BulkSplit, file: AsyncBuffer, metadata: FileMetaData, filter: CompiledFilter, reading: RowReading) {
    this.#split = split;
    this.#file = file;
    this.#metadata = metadata;
    this.#raw = rawMetadata(metadata);
    this.#filter = filter;
    this.#reading = reading;
    this.#needed = [...new Set([...reading.columns.flatMap(({ name, read }) => (read === undefined ? [] : [name])), ...reading.readers.keys()])];
  }

  async next(): Promise<RecordBlock<unknown> | undefined> {
    const { startByte, endByte, resumeAt = startByte } = this.#split;
    while (this.#group < this.#metadata.row_groups.length) {
      const group = this.#metadata.row_groups[this.#group++]!;
      const rows = Number(group.num_rows);
      const firstRow = this.#firstRow;
      this.#firstRow += rows;
      const start = startOf(group);
      if (start < resumeAt || start >= endByte || rows === 0) continue;
      const ranges = await this.#read(group, start, rows);
      if (ranges.length > 0) return new RowGroupBlock(start, rows, firstRow, ranges, this.#reading);
    }
    return undefined;
  }

  async close(): Promise<void> {}

  async #read(group: RowGroup, start: number, rows: number): Promise<RowRange[]> {
    // As if the file had no other group: the library looks at all of them each time.
    const metadata = { ...this.#metadata, row_groups: [group] };
    const options: ParquetScanOptions = { file: this.#file, metadata, rowStart: 0, rowEnd: rows, compressors: decompressors, parsers, geoparquet: false };
    let failed: string | undefined;
    try {
      const ranges = await this.#prune(options);
      if (ranges.length === 0) return [];
      if (this.#needed.length === 0) return ranges.map(({ rowStart, rowEnd }) => ({ from: rowStart, to: rowEnd, data: new Map() }));
      const scan = await parquetScan({ ...options, metadata: { ...this.#raw, row_groups: [group] }, columns: [...this.#needed], utf8: false });
      const read: RowRange[] = [];
      for (const { rowStart, rowEnd } of ranges) {
        const readColumn = async (column: string): Promise<readonly [string, DecodedArray]> => {
          try {
            const values = await scan.readColumn({ column, rowStart, rowEnd });
            if (values.length !== rowEnd - rowStart) throw new Error(`it has ${values.length} values for ${rowEnd - rowStart} rows`);
            return [column, values];
          } catch (error) {
            failed ??= column;
            throw error;
          }
        };
        read.push({ from: rowStart, to: rowEnd, data: new Map(await Promise.all(this.#needed.map(readColumn))) });
      }
      return read;
    } catch (cause) {
      if (isMillraceError(cause)) throw cause;
      const chunk = failed === undefined ? undefined : group.columns.find(({ meta_data: data }) => data?.path_in_schema[0] === failed)?.meta_data;
      const at = chunk === undefined ? start : Math.min(Number(chunk.dictionary_page_offset ?? chunk.data_page_offset), Number(chunk.data_page_offset));
      throw corrupt(this.#split.path, at, `${failed === undefined ? "a row group" : `column "${failed}"`} cannot be decoded: ${(cause as Error).message}`, cause);
    }
  }

  /** The rows of the group that the filter may let through. */
  async #prune(options: ParquetScanOptions): Promise<readonly { readonly rowStart: number; readonly rowEnd: number }[]> {
    const { pruning } = this.#filter;
    if (pruning === undefined) return [{ rowStart: options.rowStart!, rowEnd: options.rowEnd! }];
    const scan = await parquetScan({ ...options, pruningFilter: pruning, useBloomFilters: true, usePageIndex: true });
    return scan.ranges;
  }
}
