import { decodeValue, encodeValue } from "@millrace/core";
import type { SnapshotCodec, SourceSplit } from "@millrace/core";
import type { JdbcRawValue } from "../dialect/jdbc-type.js";

/** The part of a table whose partition column lies in a range, or is NULL. */
export type SplitRange =
  | { readonly kind: "all" }
  | { readonly kind: "null" }
  /** From `lower` to before `upper`, or up to it. In the database's own text. */
  | { readonly kind: "between"; readonly lower: string; readonly upper: string; readonly isUpperIncluded: boolean };

/** A part of a query's rows. */
export interface JdbcSplit extends SourceSplit {
  readonly range: SplitRange;
  readonly parameters: readonly unknown[];
  /** The key of the last row that was emitted, where rows come in the order of a key; `null` before the first. */
  readonly position: JdbcRawValue;
}

export interface JdbcEnumeratorState {
  /** Splits nobody reads yet. */
  readonly pending: readonly JdbcSplit[];
}

/** Parameters may be anything that travels between tasks: bigints, dates, bytes. */
export const splitCodec: SnapshotCodec<any> = { encode: encodeValue, decode: decodeValue };
