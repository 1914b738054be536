import type { Operator } from "@millrace/core";
import type { Barrier } from "../exchange/channel-element.js";
import type { InputChannel } from "../exchange/input-channel.js";
import type { OperatorChain } from "./operator-chain.js";
import type { InputProgress, TaskInput } from "./task-input.js";

/** Stands for operators that had finished before the checkpoint their task was restored from (FLIP-147). Sees no record. */
export const finishedOperator: Operator = {};

/** The input of a task all of whose operators had finished: the last watermark, and the end. What its channels bring is dropped, so that nobody waits for room in them. */
export class FinishedInput implements TaskInput {
  readonly #chain: OperatorChain;
  readonly #checkpoint: (barrier: Barrier) => void;
  #passed = false;

  constructor(chain: OperatorChain, channels: readonly InputChannel[], checkpoint: (barrier: Barrier) => void) {
    this.#chain = chain;
    this.#checkpoint = checkpoint;
    // Senders that are restored as finished, too, still send their watermark and their end, maybe long after this task is over.
    for (const channel of channels) {
      channel.onReadable = (readable) => readable.discard();
      channel.discard();
    }
  }

  process(): InputProgress {
    this.endNow();
    return "ended";
  }

  get closed(): boolean {
    return true;
  }

  triggerCheckpoint(barrier: Barrier): void {
    this.#checkpoint(barrier);
  }

  endNow(): void {
    if (!this.#passed) this.#chain.passLastWatermark();
    this.#passed = true;
  }

  checkpointAborted(): void {}

  discard(): void {}
}
