/** What the reader of a hybrid source tells its enumerator. */
export type HybridReaderEvent =
  /** Everything of source `sourceIndex` has been read; -1 at the start. */
  | { readonly hybrid: "finished"; readonly sourceIndex: number }
  | { readonly hybrid: "inner"; readonly sourceIndex: number; readonly event: unknown };

/** What the enumerator of a hybrid source tells a reader. */
export type HybridEnumeratorEvent =
  | { readonly hybrid: "switch"; readonly sourceIndex: number; readonly position: unknown }
  | { readonly hybrid: "inner"; readonly sourceIndex: number; readonly event: unknown };
