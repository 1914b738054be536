import type { OneInputOperator } from "@millrace/core";
import type { OperatorChain } from "./operator-chain.js";
import type { InputProgress, TaskInput } from "./task-input.js";

/** Stands for an operator that had finished before the checkpoint its task was restored from (FLIP-147). Sees no record. */
export class FinishedOperator implements OneInputOperator {
  processRecord(): void {}
}

/** The input of a task all of whose operators had finished: the last watermark, and the end. What its channels bring is not read. */
export class FinishedInput implements TaskInput {
  readonly #chain: OperatorChain;
  #passed = false;

  constructor(chain: OperatorChain) {
    this.#chain = chain;
  }

  process(): InputProgress {
    if (!this.#passed) this.#chain.passLastWatermark();
    this.#passed = true;
    return "ended";
  }

  triggerCheckpoint(): void {}

  checkpointAborted(): void {}

  discard(): void {}
}
