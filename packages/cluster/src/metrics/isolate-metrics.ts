import { PerformanceObserver, constants } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { IsolateUsage } from "../inspection/slot-usage.js";

const collectors: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: "Scavenge", [constants.NODE_PERFORMANCE_GC_MAJOR]: "MarkSweepCompact",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "IncrementalMarking", [constants.NODE_PERFORMANCE_GC_WEAKCB]: "WeakCallbacks",
};

/** Memory and garbage collection of the calling thread's isolate. Close it, or it keeps observing. */
export class IsolateMetrics {
  readonly #collections = new Map<string, { count: number; timeMs: number }>(Object.values(collectors).map((name) => [name, { count: 0, timeMs: 0 }]));
  readonly #observer: PerformanceObserver;

  constructor() {
    this.#observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const kind = (entry as { readonly detail?: { readonly kind?: number } }).detail?.kind;
        const collector = this.#collections.get(collectors[kind ?? -1] ?? "");
        if (collector === undefined) continue;
        collector.count++;
        collector.timeMs += entry.duration;
      }
    });
    this.#observer.observe({ entryTypes: ["gc"] });
  }

  read(): IsolateUsage {
    const heap = getHeapStatistics();
    const { external, arrayBuffers } = process.memoryUsage();
    return {
      heapUsed: heap.used_heap_size, heapCommitted: heap.total_heap_size, heapMax: heap.heap_size_limit, external, arrayBuffers,
      collections: Object.fromEntries([...this.#collections].map(([name, of]) => [name, { ...of }])),
    };
  }

  close(): void {
    this.#observer.disconnect();
  }
}
