import { MillraceError, serializeError, type Configuration, type Env } from "@millrace/core";
import type { StreamGraph } from "@millrace/graph";
import type { OperatorToCoordinator, SlotEvent } from "../protocol/messages.js";
import { SourceCoordinator } from "./source-coordinator.js";

/** The source coordinators (split enumerators) that live in this slot. */
export class CoordinatorHost {
  /** Set once the job's graph is captured. */
  graph: StreamGraph | undefined;
  readonly #env: Env;
  readonly #config: Configuration;
  readonly #epoch: number;
  readonly #send: (event: SlotEvent) => void;
  readonly #coordinators = new Map<string, SourceCoordinator>();

  constructor(env: Env, config: Configuration, epoch: number, send: (event: SlotEvent) => void) {
    this.#env = env;
    this.#config = config;
    this.#epoch = epoch;
    this.#send = send;
  }

  start(operatorId: string, nodeId: number, parallelism: number, restored: Uint8Array | undefined): void {
    const epoch = this.#epoch;
    const fail = (error: unknown): void => this.#send({ type: "coordinatorFailed", epoch, operatorId, error: serializeError(error) });
    const spec = this.graph?.nodes.find((node) => node.id === nodeId)?.spec;
    if (spec?.type !== "source") {
      fail(new MillraceError({ code: "GRAPH_MISMATCH", message: `node ${nodeId} of the job's graph is not a source`, hint: "the job is not deterministic" }));
      return;
    }
    const coordinator = new SourceCoordinator(spec.source, parallelism, this.#env, this.#config, {
      toReader: (subtaskIndex, event) => this.#send({ type: "operatorEvent", epoch, operatorId, subtaskIndex, event }),
      snapshot: (checkpointId, state) => this.#send({ type: "coordinatorSnapshot", epoch, operatorId, checkpointId, state }),
      processingBacklog: (isProcessing) => this.#send({ type: "processingBacklog", epoch, operatorId, isProcessing }),
      fail,
    });
    this.#coordinators.set(operatorId, coordinator);
    coordinator.start(restored);
  }

  event(operatorId: string, subtaskIndex: number, event: OperatorToCoordinator): void {
    this.#coordinators.get(operatorId)?.event(subtaskIndex, event);
  }

  snapshot(operatorId: string, checkpointId: number): void {
    this.#coordinators.get(operatorId)?.snapshot(checkpointId);
  }

  checkpointComplete(checkpointId: number): void {
    for (const coordinator of this.#coordinators.values()) coordinator.checkpointComplete(checkpointId);
  }

  close(): void {
    for (const coordinator of this.#coordinators.values()) coordinator.close();
    this.#coordinators.clear();
  }
}
