import type { TypeSchema } from "@millrace/core";

/** Where the bytes of a piece of state are: a range of a file of the checkpoint. Paths are relative to the checkpoint unless absolute. */
export interface FileRange {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** Where one key group's bytes are, relative to the start of its handle's file range. */
export interface KeyGroupOffset {
  readonly keyGroup: number;
  readonly offset: number;
  readonly length: number;
}

/** Rows of one old subtask that one checkpoint wrote. */
export interface KeyedStatePart {
  readonly checkpointId: number;
  /** Ascending by key group; a group without state is left out. */
  readonly keyGroups: readonly KeyGroupOffset[];
  readonly file: FileRange;
  /** It has state outside {@link keyGroups}, of any key groups. */
  readonly common?: boolean;
}

/** Keyed state of one old subtask, as checkpoint metadata holds it (plain JSON). */
export interface KeyedStateHandle {
  /** First and last key group, both inclusive. */
  readonly keyGroupRange: readonly [number, number];
  /** Ascending by key group; a group without state is left out. */
  readonly keyGroups: readonly KeyGroupOffset[];
  readonly file: FileRange;
  /** Incremental: what older checkpoints wrote, ascending. A row's state is in the newest part that tells it, the handle's own being the newest of all. */
  readonly common?: boolean;
  readonly earlier?: readonly KeyedStatePart[];
}

/** How an operator state is spread over the subtasks of a job that runs with another parallelism. */
export type OperatorStateMode = "SPLIT_DISTRIBUTE" | "UNION" | "BROADCAST";

/** One operator state inside a handle. */
export interface OperatorStateMeta {
  readonly name: string;
  readonly mode: OperatorStateMode;
  /** Of an element; of a broadcast state a map schema. "any" where nothing was declared. */
  readonly schema: TypeSchema;
  /** Start of each element (broadcast: of each entry), relative to the start of the handle's file range, ascending. */
  readonly offsets: readonly number[];
  /** Where the last element ends. */
  readonly end: number;
}

/** Operator state of one old subtask, as checkpoint metadata holds it (plain JSON). */
export interface OperatorStateHandle {
  readonly states: readonly OperatorStateMeta[];
  readonly file: FileRange;
}

/** What one new subtask reads of one old subtask's operator state: elements `from` (inclusive) to `to` (exclusive), by index into `offsets`. */
export interface OperatorStateAssignment {
  /** Index of the old subtask in the list that was redistributed. */
  readonly handle: number;
  readonly name: string;
  readonly mode: OperatorStateMode;
  readonly from: number;
  readonly to: number;
}
