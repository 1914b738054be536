import { SpillFile } from "@millrace/runtime";
import type { ResultRoom } from "./result-room.js";

/** Where a batch of results goes. Few and shared: one for each subtask of each collecting sink. */
export interface ResultTarget {
  readonly collectId: string;
  readonly subtaskIndex: number;
}

export interface Result {
  readonly target: ResultTarget;
  readonly batch: ArrayBuffer;
}

/**
 * Results that wait for the same checkpoint, in the order they came: in memory, and from the first that found no room there on in a file. All are added before
 * the first is taken.
 */
export class HeldResults {
  readonly #room: ResultRoom;
  readonly #openFile: () => SpillFile;
  readonly #kept: Result[] = [];
  #keptTaken = 0;
  #file: SpillFile | undefined;
  /** Bytes of it, those that were taken included: it is as long until it goes. */
  #fileBytes = 0;
  readonly #filed: ResultTarget[] = [];
  #filedTaken = 0;
  #bytes = 0;

  constructor(room: ResultRoom, openFile: () => SpillFile) {
    this.#room = room;
    this.#openFile = openFile;
  }

  /** Of those that were not taken yet. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#keptTaken === this.#kept.length && this.#filedTaken === this.#filed.length;
  }

  /** @returns when this keeps no buffer for it; nothing when it may keep that; `false`: there is no room, and it is not kept */
  add(result: Result): void | false | Promise<void> {
    const { byteLength } = result.batch;
    if (this.#file === undefined && this.#room.memory.take(byteLength)) {
      this.#bytes += byteLength;
      return void this.#kept.push(result);
    }
    if (!this.#room.files.take(byteLength)) return false;
    this.#bytes += byteLength;
    this.#fileBytes += byteLength;
    const file = (this.#file ??= this.#openFile());
    this.#filed.push(result.target);
    return new Promise((resolve) => file.append(result.batch, resolve));
  }

  /** The oldest that was not taken yet; `undefined` when there is none or while it is being read, which `onReadable` tells the end of. */
  take(onReadable: () => void): Result | undefined {
    if (this.#keptTaken < this.#kept.length) {
      const result = this.#kept[this.#keptTaken]!;
      // What was taken is not held any longer.
      this.#kept[this.#keptTaken++] = undefined as never;
      this.#room.memory.giveBack(result.batch.byteLength);
      this.#bytes -= result.batch.byteLength;
      return result;
    }
    if (this.#file === undefined || this.isEmpty) return undefined;
    this.#file.onReadable = onReadable;
    const batch = this.#file.take();
    if (batch === undefined) return undefined;
    this.#bytes -= batch.byteLength;
    return { target: this.#filed[this.#filedTaken++]!, batch };
  }

  /** Forgets what was not taken, and deletes the file. */
  close(): void {
    for (; this.#keptTaken < this.#kept.length; this.#keptTaken++) this.#room.memory.giveBack(this.#kept[this.#keptTaken]!.batch.byteLength);
    this.#kept.length = this.#keptTaken = 0;
    this.#filed.length = this.#filedTaken = 0;
    this.#bytes = 0;
    this.#room.files.giveBack(this.#fileBytes);
    this.#fileBytes = 0;
    this.#file?.close();
    this.#file = undefined;
  }
}
