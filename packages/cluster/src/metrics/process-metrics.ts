import { readdirSync } from "node:fs";
import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { NetworkUsage } from "@millrace/runtime";
import type { IsolateUsage, SlotUsage } from "../inspection/slot-usage.js";
import { IsolateMetrics } from "./isolate-metrics.js";

/**
 * Figures of this process under Flink's `Status.JVM` names where V8 has the like, plus the delay of the event loop of the calling thread. Heaps and garbage
 * collection are those of the calling thread and of the slots together. Close it, or it keeps observing.
 */
export class ProcessMetrics {
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });
  readonly #isolate = new IsolateMetrics();
  readonly #startedMs = performance.now();
  #lastCpuMicros = cpuMicros();
  #lastCpuMs = performance.now();
  #load = 0;

  constructor() {
    this.#delay.enable();
  }

  read(slots: readonly SlotUsage[] = []): Record<string, number> {
    const isolates = [this.#isolate.read(), ...slots];
    const sum = (of: (usage: IsolateUsage) => number): number => isolates.reduce((total, usage) => total + of(usage), 0);
    const ofProcesses = (of: (usage: NonNullable<SlotUsage["process"]>) => number): number => slots.reduce((total, { process: used }) => total + (used === undefined ? 0 : of(used)), 0);
    const cpu = cpuMicros() + ofProcesses((used) => used.cpuMicros);
    const rss = process.memoryUsage.rss() + ofProcesses(({ rssBytes }) => rssBytes);
    const committed = sum(({ heapCommitted }) => heapCommitted);
    const buffers = sum(({ arrayBuffers }) => arrayBuffers);
    return {
      "Status.JVM.CPU.Load": this.#cpuLoad(cpu),
      "Status.JVM.CPU.Time": cpu * 1000,
      "Status.JVM.Memory.Heap.Used": sum(({ heapUsed }) => heapUsed),
      "Status.JVM.Memory.Heap.Committed": committed,
      "Status.JVM.Memory.Heap.Max": sum(({ heapMax }) => heapMax),
      "Status.JVM.Memory.NonHeap.Used": sum(({ external }) => external),
      "Status.JVM.Memory.NonHeap.Committed": Math.max(0, rss - committed),
      "Status.JVM.Memory.NonHeap.Max": -1,
      "Status.JVM.Memory.Direct.MemoryUsed": buffers,
      "Status.JVM.Memory.Direct.TotalCapacity": buffers,
      "Status.JVM.Threads.Count": threadCount(),
      "Status.FileDescriptor.Open.Count": openFiles(),
      "Status.Node.Memory.Rss": rss,
      "Status.Node.EventLoop.DelayMeanMs": finite(this.#delay.mean / 1e6),
      "Status.Node.EventLoop.DelayP99Ms": finite(this.#delay.percentile(99) / 1e6),
      "Status.Node.EventLoop.DelayMaxMs": finite(this.#delay.max / 1e6),
      "Status.Node.EventLoop.Utilization": performance.eventLoopUtilization().utilization,
      ...this.#collections(isolates),
      ...shuffleMetrics(slots),
    };
  }

  close(): void {
    this.#isolate.close();
    this.#delay.disable();
  }

  #collections(isolates: readonly IsolateUsage[]): Record<string, number> {
    const values: Record<string, number> = {};
    const all = { count: 0, timeMs: 0 };
    for (const name of Object.keys(isolates[0]!.collections)) {
      let count = 0;
      let timeMs = 0;
      for (const { collections } of isolates) {
        count += collections[name]?.count ?? 0;
        timeMs += collections[name]?.timeMs ?? 0;
      }
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

  /** Share of one core since the last reading that is at least a second old. Slots that have ended take their time with them. */
  #cpuLoad(cpu: number): number {
    const now = performance.now();
    const elapsedMs = now - this.#lastCpuMs;
    if (elapsedMs >= 1000) {
      this.#load = Math.max(0, cpu - this.#lastCpuMicros) / 1000 / elapsedMs;
      this.#lastCpuMicros = cpu;
      this.#lastCpuMs = now;
    }
    return this.#load;
  }
}

/** Flink's `Status.Shuffle.Netty`: of what the slots of this process may have on its way to them. A process without slots has none. */
function shuffleMetrics(slots: readonly SlotUsage[]): Record<string, number> {
  const sum = (of: (usage: NetworkUsage) => number): number => slots.reduce((total, { network }) => total + (network === undefined ? 0 : of(network)), 0);
  const [segments, used] = [sum((usage) => usage.segments), sum((usage) => usage.usedSegments)];
  const [bytes, usedBytes] = [sum((usage) => usage.totalBytes), sum((usage) => usage.usedBytes)];
  return {
    "Status.Shuffle.Netty.TotalMemorySegments": segments, "Status.Shuffle.Netty.UsedMemorySegments": used, "Status.Shuffle.Netty.AvailableMemorySegments": Math.max(0, segments - used),
    "Status.Shuffle.Netty.TotalMemory": bytes, "Status.Shuffle.Netty.UsedMemory": usedBytes, "Status.Shuffle.Netty.AvailableMemory": Math.max(0, bytes - usedBytes),
    // In percent.
    "Status.Shuffle.Netty.RequestedMemoryUsage": segments === 0 ? 0 : Math.round((100 * used) / segments),
  };
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
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
