import type {
  InternalTimerService, KeyedState, KeyedStateBackend, OnMergeContext, StateDescriptor,
} from "@millrace/core";
import { WindowStateStore } from "./window-state-store.js";
import type { CurrentWatermark } from "./window-emitter.js";

/** The context of a trigger, for the current key and the window it points to. */
export class WindowTriggerContext implements OnMergeContext {
  /** While windows merge: the ids of those that became the current one. */
  mergedWindowIds: readonly string[] = [];
  private readonly timers: InternalTimerService;
  private readonly state: WindowStateStore;
  private readonly watermark: CurrentWatermark;

  constructor(timers: InternalTimerService, backend: KeyedStateBackend, watermark: CurrentWatermark) {
    this.timers = timers;
    this.state = new WindowStateStore(backend, "trigger");
    this.watermark = watermark;
  }

  /** Points to a window, by its id. */
  at(windowId: string): this {
    this.state.namespace = windowId;
    return this;
  }
  get currentProcessingTime(): number {
    return this.timers.currentProcessingTime();
  }
  get currentWatermark(): number {
    return this.watermark();
  }
  registerEventTimeTimer(timestampMs: number): void {
    this.timers.registerEventTimeTimer(this.state.namespace, timestampMs);
  }
  registerProcessingTimeTimer(timestampMs: number): void {
    this.timers.registerProcessingTimeTimer(this.state.namespace, timestampMs);
  }
  deleteEventTimeTimer(timestampMs: number): void {
    this.timers.deleteEventTimeTimer(this.state.namespace, timestampMs);
  }
  deleteProcessingTimeTimer(timestampMs: number): void {
    this.timers.deleteProcessingTimeTimer(this.state.namespace, timestampMs);
  }
  getPartitionedState<S extends KeyedState>(descriptor: StateDescriptor<S>): S {
    return this.state.open(descriptor);
  }
  mergePartitionedState(descriptor: StateDescriptor): void {
    this.state.namespaced(descriptor).mergeNamespaces(this.state.namespace, this.mergedWindowIds);
  }
}
