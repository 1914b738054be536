export { parquetFormat } from "./read/parquet-format.js";
export type { ParquetFormatOptions, UntypedParquetOptions } from "./read/parquet-format.js";
export type { ColumnPredicate, ParquetColumnFilter, ParquetFilter } from "./read/parquet-filter.js";
export { parquetWriter } from "./write/parquet-writer.js";
export type { ParquetWriterOptions } from "./write/parquet-writer.js";
export type { ParquetColumn, ParquetColumns, ParquetInterval, ParquetList, ParquetMap, ParquetRecord, ParquetScalar, ParquetScalarValue, ParquetStruct, ParquetValue } from "./schema/parquet-columns.js";
export type { ParquetCompression } from "./compression.js";
