/** What a row of a changelog does: adds a row, takes an updated row's old content back, gives its new content, deletes a row. Flink: RowKind. */
export const RowKind = { INSERT: "+I", UPDATE_BEFORE: "-U", UPDATE_AFTER: "+U", DELETE: "-D" } as const;
export type RowKind = (typeof RowKind)[keyof typeof RowKind];

/** A row of a changelog. Flink: Row with a RowKind. */
export interface ChangelogRow<T> {
  readonly kind: RowKind;
  readonly row: T;
}
