export type { JdbcConnectionOptions, JdbcTarget, JdbcTlsFiles } from "./connection/jdbc-connection-options.js";
export { StatementTimeout, answerWithin } from "./connection/statement-timeout.js";
export type {
  JdbcConnection, JdbcCursor, JdbcDialect, JdbcFailure, JdbcFailureKind, JdbcResult, JdbcTableWriter, JdbcWriteMode, JdbcWriteTarget, PreparedTransactionLimit,
} from "./dialect/jdbc-dialect.js";
export type { JdbcColumn, JdbcKind, JdbcParameter, JdbcRawRow, JdbcRawValue, JdbcType } from "./dialect/jdbc-type.js";
export { equalsByText } from "./dialect/jdbc-type.js";
export { quotedElement } from "./types/encoder.js";
export { JdbcLookup } from "./lookup/jdbc-lookup.js";
export type { JdbcLookupCacheOptions, JdbcLookupOptions } from "./lookup/jdbc-lookup-options.js";
export { JdbcSink } from "./sink/jdbc-sink.js";
export type { JdbcExactlyOnceOptions, JdbcExecutionOptions, JdbcRowKind, JdbcSinkOptions } from "./sink/jdbc-sink-options.js";
export type { JdbcCommittable } from "./sink/transaction-target.js";
export { JdbcSource } from "./source/jdbc-source.js";
export type { JdbcPartition, JdbcSourceOptions } from "./source/jdbc-source-options.js";
export type { JdbcEnumeratorState, JdbcSplit, SplitRange } from "./source/jdbc-split.js";
export { MALFORMED_ROWS } from "./source/malformed-row.js";
export type { MalformedRow, OnMalformedRow } from "./source/malformed-row.js";
export { JdbcGenericParameterValuesProvider, JdbcNumericBetweenParametersProvider, type JdbcParameterValuesProvider } from "./source/parameter-values.js";
export type { JdbcRow } from "./types/decoder.js";
export type { JdbcTypeOptions } from "./types/jdbc-type-options.js";
