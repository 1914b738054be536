import { HELD_RESULTS_FILES, HELD_RESULTS_TOTAL_MEMORY, type Configuration } from "@millrace/core";

/** Bytes that may be held somewhere, as a part of what may be held there altogether. */
export class ResultSpace {
  readonly limitBytes: number;
  readonly #within: ResultSpace | undefined;
  #usedBytes = 0;

  constructor(limitBytes: number, within?: ResultSpace) {
    this.limitBytes = limitBytes;
    this.#within = within;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** `false` when there is no room. */
  take(bytes: number): boolean {
    if (this.#usedBytes + bytes > this.limitBytes || this.#within?.take(bytes) === false) return false;
    this.#usedBytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#usedBytes -= bytes;
    this.#within?.giveBack(bytes);
  }
}

/** Where results wait: those of all jobs of a JobManager, or of one of them within these. */
export class ResultRoom {
  readonly memory: ResultSpace;
  readonly files: ResultSpace;

  constructor(memory: ResultSpace, files: ResultSpace) {
    this.memory = memory;
    this.files = files;
  }

  /** That of a JobManager, for all its jobs. */
  static of(config: Configuration): ResultRoom {
    return new ResultRoom(new ResultSpace(config.get(HELD_RESULTS_TOTAL_MEMORY)), new ResultSpace(config.get(HELD_RESULTS_FILES)));
  }

  /** One job's, with so much memory at most. Of the files it has what the others leave. */
  forJob(memoryBytes: number): ResultRoom {
    return new ResultRoom(new ResultSpace(memoryBytes, this.memory), new ResultSpace(Number.POSITIVE_INFINITY, this.files));
  }
}
