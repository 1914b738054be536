/** Told about the entries (rows, slice positions, timers) of a table while a snapshot of it runs. */
export interface EntryObserver {
  /** The entry is about to be handed out, changed or removed. */
  beforeAccess(entry: number): void;
  /** The entry was unused and is taken now. */
  taken(entry: number): void;
}
