import { serializeError, type Clock } from "@millrace/core";
import type { SlotCommand, SlotEvent } from "@millrace/runtime";
import type { HostedSlot, SlotHost, SlotOpening } from "../../src/index.js";

/** Slots that answer commands as a runtime does; `opened` are those that live. */
export class ScriptedHost implements SlotHost {
  readonly opened = new Map<HostedSlot, SlotOpening>();
  readonly commands: SlotCommand[] = [];
  readonly localConnections: number[][] = [];
  cannotTerminate = false;
  /** Checkpoints are triggered, and nobody acknowledges. */
  holdsCheckpoints = false;
  readonly #clock: Clock;
  #port = 1000;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open(opening: SlotOpening, onEvent: (event: SlotEvent) => void): HostedSlot {
    const attempts: Extract<SlotCommand, { type: "deploy" }>["tasks"][number]["attempt"][] = [];
    let stopsBehind: number | undefined;
    const slot: HostedSlot = {
      dataPort: Promise.resolve(this.#port++),
      send: (command) => {
        this.commands.push(command);
        const tell = (state: "INITIALIZING" | "RUNNING" | "FINISHED" | "CANCELED"): void => {
          for (const attempt of attempts) this.#clock.yieldThen(() => onEvent({ type: "taskState", epoch: command.epoch, attempt, state }));
        };
        if (command.type === "deploy") {
          attempts.push(...command.tasks.map(({ attempt }) => attempt));
          tell("INITIALIZING");
        } else if (command.type === "snapshotCoordinator") {
          const { epoch, operatorId, checkpointId } = command;
          this.#clock.yieldThen(() => onEvent({ type: "coordinatorSnapshot", epoch, operatorId, checkpointId, state: new Uint8Array([7]) }));
        } else if (command.type === "triggerCheckpoint") {
          const { epoch, checkpointId, options } = command;
          if (options?.stop !== undefined) stopsBehind = checkpointId;
          if (this.holdsCheckpoints) return;
          const metrics = { alignmentDurationMs: 0, syncDurationMs: 0, asyncDurationMs: 0, startDelayMs: 0, unaligned: false, persistedBytes: 0, processedBytes: 0 };
          for (const attempt of attempts) {
            this.#clock.yieldThen(() => onEvent({ type: "acknowledgeCheckpoint", epoch, checkpointId, attempt, state: { operators: {}, stateBytes: 1, writtenBytes: 1 }, metrics }));
          }
        } else if (command.type === "checkpointComplete") {
          if (command.checkpointId === stopsBehind) tell("FINISHED");
        } else if (command.type === "run") tell("RUNNING");
        else if (command.type === "cancel") tell("CANCELED");
      },
      terminate: async () => {
        if (this.cannotTerminate) throw new Error("stuck");
        this.opened.delete(slot);
      },
    };
    this.opened.set(slot, opening);
    this.finishAll = () => {
      for (const attempt of attempts) this.#clock.yieldThen(() => onEvent({ type: "taskState", epoch: this.commands.at(-1)!.epoch, attempt, state: "FINISHED" }));
    };
    this.failOne = () => onEvent({ type: "slotFailed", error: serializeError(new Error("lost")) });
    return slot;
  }

  /** All tasks of the slot that was opened last finish. */
  finishAll: () => void = () => undefined;

  failOne: () => void = () => undefined;

  connect(_epoch: number, _a: HostedSlot, slotA: number, _b: HostedSlot, slotB: number): void {
    this.localConnections.push([slotA, slotB]);
  }

  async close(): Promise<void> {}
}
