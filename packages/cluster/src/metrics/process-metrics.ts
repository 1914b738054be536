import { readdirSync } from "node:fs";
import { PerformanceObserver, constants, monitorEventLoopDelay, performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";

const collectors: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: "Scavenge", [constants.NODE_PERFORMANCE_GC_MAJOR]: "MarkSweepCompact",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "IncrementalMarking", [constants.NODE_PERFORMANCE_GC_WEAKCB]: "WeakCallbacks",
};

/**
 * Figures of this process under Flink's `Status.JVM` names where V8 has the like, plus the delay of the event loop.
 * Heap and garbage collection are those of the calling thread's isolate. Close it, or it keeps observing.
 */
export class ProcessMetrics {
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  readonly #collections = new Map<string, { count: number; timeMs: number }>(Object.values(collectors).map((name) => [name, { count: 0, timeMs: 0 }]));
  readonly #observer: PerformanceObserver;
  readonly #startedMs = performance.now();
  #lastCpu = process.cpuUsage();
  #lastCpuMs = performance.now();
  #load = 0;

  constructor() {
    this.#delay.enable();
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

  read(): Record<string, number> {
    const heap = getHeapStatistics();
    const memory = process.memoryUsage();
    const cpu = process.cpuUsage();
    const values: Record<string, number> = {
      "Status.JVM.CPU.Load": this.#cpuLoad(cpu),
      "Status.JVM.CPU.Time": (cpu.user + cpu.system) * 1000,
      "Status.JVM.Memory.Heap.Used": heap.used_heap_size,
      "Status.JVM.Memory.Heap.Committed": heap.total_heap_size,
      "Status.JVM.Memory.Heap.Max": heap.heap_size_limit,
      "Status.JVM.Memory.NonHeap.Used": memory.external,
      "Status.JVM.Memory.NonHeap.Committed": Math.max(0, memory.rss - heap.total_heap_size),
      "Status.JVM.Memory.NonHeap.Max": -1,
      "Status.JVM.Memory.Direct.MemoryUsed": memory.arrayBuffers,
      "Status.JVM.Threads.Count": threadCount(),
      "Status.FileDescriptor.Open.Count": openFiles(),
      "Status.Node.Memory.Rss": memory.rss,
      "Status.Node.EventLoop.DelayMeanMs": finite(this.#delay.mean / 1e6),
      "Status.Node.EventLoop.DelayP99Ms": finite(this.#delay.percentile(99) / 1e6),
      "Status.Node.EventLoop.DelayMaxMs": finite(this.#delay.max / 1e6),
      "Status.Node.EventLoop.Utilization": performance.eventLoopUtilization().utilization,
    };
    const all = { count: 0, timeMs: 0 };
    for (const [name, { count, timeMs }] of this.#collections) {
      all.count += count;
      all.timeMs += timeMs;
      values[`Status.JVM.GarbageCollector.${name}.Count`] = count;
      values[`Status.JVM.GarbageCollector.${name}.Time`] = Math.round(timeMs);
    }
    values["Status.JVM.GarbageCollector.All.Count"] = all.count;
    values["Status.JVM.GarbageCollector.All.Time"] = Math.round(all.timeMs);
    values["Status.JVM.GarbageCollector.All.TimeMsPerSecond"] = (all.timeMs * 1000) / Math.max(1, performance.now() - this.#startedMs);
    return values;
  }

  close(): void {
    this.#observer.disconnect();
    this.#delay.disable();
  }

  /** Share of one core since the last reading that is at least a second old. */
  #cpuLoad(cpu: NodeJS.CpuUsage): number {
    const now = performance.now();
    const elapsedMs = now - this.#lastCpuMs;
    if (elapsedMs >= 1000) {
      this.#load = (cpu.user + cpu.system - this.#lastCpu.user - this.#lastCpu.system) / 1000 / elapsedMs;
      this.#lastCpu = cpu;
      this.#lastCpuMs = now;
    }
    return this.#load;
  }
}

function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** 0 where the system has no /proc. */
function threadCount(): number {
  return entries("/proc/self/task");
}

function openFiles(): number {
  return entries("/proc/self/fd");
}

function entries(directory: string): number {
  try {
    return readdirSync(directory).length;
  } catch {
    return 0;
  }
}
