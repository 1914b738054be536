import { WatermarkStrategy } from "@millrace/core";
import { GraphBuilder } from "/work/main/packages/runtime/test/support/graph-builder.js";
import { SlotExecutor } from "/work/main/packages/runtime/dist/index.js";
import { MemoryFiles } from "/work/main/packages/runtime/test/support/memory-files.js";
const N = Number(process.argv[2] ?? 20e6);
const mode = process.argv[3] ?? "collect";
const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now(), setTimer: (d, a) => { const t = setTimeout(a, d); return { cancel: () => clearTimeout(t) }; }, yieldThen: (a) => void setImmediate(a) };
const env = { clock, rng: { next: Math.random }, fs: new MemoryFiles(), net: undefined, log: { write() {} } };
let sum = 0, cnt = 0;
const source = { type: "source", watermarks: mode === "wm" ? WatermarkStrategy.forBoundedOutOfOrderness(5000).withTimestampAssigner(v => v.ts) : WatermarkStrategy.noWatermarks(), source: {
  boundedness: "bounded",
  createEnumerator: () => ({ start() {}, addReader() {}, addSplitsBack() {}, snapshotState: () => 0 }),
  createReader: () => { let i = 0; return { start() {}, addSplits() {}, notifyNoMoreSplits() {}, snapshotState: () => [], close() {}, available: async () => {},
    pollNext(out) { const end = Math.min(N, i + 1024); while (i < end) { out.collect({ id: i, ts: i, key: i & 1023 }); i++; } return i < N ? "more-available" : "end-of-input"; } }; } } };
const b = new GraphBuilder({});
const s = b.add(source as never);
let n = b.add({ type: "map", fn: (v: any) => ({ id: v.id, ts: v.ts, key: v.key * 2 }) }, [{ from: s }]);
n = b.add({ type: "filter", fn: (v: any) => v.id % 7 !== 0 }, [{ from: n }]);
n = b.add({ type: "map", fn: (v: any) => ({ a: v.id + v.key, ts: v.ts }) }, [{ from: n }]);
if (mode === "flat") n = b.add({ type: "flatMap", fn: (v: any, out: any) => { out.collect(v); } }, [{ from: n }]);
if (mode === "edge") n = b.add({ type: "map", fn: (v: any) => v }, [{ from: n, partitioner: { kind: "rebalance" } }]);
if (mode === "hash") n = b.add({ type: "keyedReduce", fn: (a: any, v: any) => v }, [{ from: n, keySelector: (v: any) => v.a & 1023 }]);
b.add({ type: "sink", sink: { createWriter: () => ({ write(v: any) { sum += v.a; cnt++; }, flush() {}, close() {} }) } } as never, [{ from: n }]);
const jobGraph = b.jobGraph();
const t0 = performance.now(); const cpu0 = process.cpuUsage();
const ex = new SlotExecutor({ env: env as never, loadGraph: () => b.graph, send: (e: any) => {
  if (e.type === "taskState" && e.error) { console.log(JSON.stringify(e.error).slice(0, 600)); process.exit(1); }
  if (e.type === "coordinatorEvent") return;
  if (e.type === "taskState" && e.state === "FINISHED") { done.add(e.attempt.vertexId); if (done.size === jobGraph.vertices.length) { const ms = performance.now() - t0; const cpu = process.cpuUsage(cpu0); console.log(mode, cnt, (N / cpu.user).toFixed(2), "M rec/cpu-s user; wall", (N / ms / 1000).toFixed(2), "M rec/s"); process.exit(0); } }
} });
const done = new Set();
const slotOfSubtask = Object.fromEntries(jobGraph.vertices.map((v) => [v.id, [0]]));
ex.handle({ type: "start", epoch: 1, job: { jobGraph, slotIndex: 0, numberOfSlots: 1, checkpointDirectory: "/x" } });
ex.handle({ type: "deploy", epoch: 1, tasks: jobGraph.vertices.map((v) => ({ attempt: { vertexId: v.id, subtaskIndex: 0, attemptNumber: 0 }, restore: undefined, slotOfSubtask })) });
ex.handle({ type: "run", epoch: 1 });
