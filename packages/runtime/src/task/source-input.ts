import type { Clock } from "@millrace/core";
import type { Barrier } from "../exchange/channel-element.js";
import type { SourceOperator } from "../source/source-operator.js";
import { ChunkSize } from "./chunk-size.js";
import type { InputProgress, TaskInput } from "./task-input.js";
import type { Turn } from "./turn.js";

/** Polls the source at the head of a task. */
export class SourceInput implements TaskInput {
  readonly #source: SourceOperator;
  readonly #turn: Turn;
  readonly #clock: Clock;
  readonly #checkpoint: (barrier: Barrier) => void;
  readonly #chunk = new ChunkSize();
  #ended = false;
  #suspended = false;

  constructor(source: SourceOperator, turn: Turn, clock: Clock, checkpoint: (barrier: Barrier) => void) {
    this.#source = source;
    this.#turn = turn;
    this.#clock = clock;
    this.#checkpoint = checkpoint;
  }

  process(interrupt: () => boolean): InputProgress {
    if (this.#ended) return "ended";
    if (this.#suspended) return "waiting";
    for (;;) {
      if (interrupt() || this.#turn.blocked) return "more";
      if (!this.#source.pollable) return "waiting";
      const started = this.#clock.monotonicMs();
      const result = this.#source.poll(this.#chunk.records);
      this.#chunk.measured(this.#source.polledRecords, this.#clock.monotonicMs() - started);
      if (result === "end") {
        this.endNow();
        return "ended";
      }
      if (result === "waiting" && !this.#source.pollable) return "waiting";
      if (this.#turn.over) return "more";
    }
  }

  get closed(): boolean {
    return this.#ended || this.#suspended;
  }

  endNow(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#source.endOfInput();
  }

  suspend(): void {
    this.#suspended = true;
  }

  resume(): void {
    this.#suspended = false;
  }

  triggerCheckpoint(barrier: Barrier): void {
    this.#checkpoint(barrier);
  }

  checkpointAborted(): void {}

  discard(): void {}
}
