import { WatermarkStrategy } from "@millrace/core";
import { workerData } from "node:worker_threads";
import { GraphBuilder } from "./support/graph-builder.js";
const N = Number(process.env["N"] ?? 5e6), KEYS = 100_000;
let sum = 0;
const source = { type: "source", watermarks: WatermarkStrategy.noWatermarks(), source: {
  boundedness: "bounded",
  createEnumerator: () => ({ start() {}, addReader() {}, addSplitsBack() {}, snapshotState: () => 0 }),
  createReader: () => { let i = 0; const names = Array.from({ length: KEYS }, (_, k) => "key-" + k); let r = 12345; return { start() {}, addSplits() {}, notifyNoMoreSplits() {}, snapshotState: () => [], close() {}, available: async () => {},
    pollNext(out: any) { const end = Math.min(N, i + 1024); while (i < end) { r = (Math.imul(r, 1664525) + 1013904223) >>> 0; out.collect({ id: i, key: names[r % KEYS], price: r / 7, qty: r & 15, ts: i, city: "city" + (r & 7) }); i++; } return i < N ? "more-available" : "end-of-input"; } }; } } };
const b = new GraphBuilder({ "pipeline.chain-compiler.enabled": true });
const s = b.add(source as never, [], { parallelism: 2 });
const m = process.env["OP"] === "reduce" ? b.add({ type: "keyedReduce", fn: (a: any, v: any) => v }, [{ from: s, keySelector: (v: any) => v.key }], { parallelism: 2 })
  : b.add({ type: "map", fn: (v: any) => v }, [{ from: s, keySelector: (v: any) => v.key }], { parallelism: 2 });
b.add({ type: "sink", sink: { createWriter: () => ({ write(v: any) { sum += v.price + v.qty; }, flush() {}, close() {} }) } } as never, [{ from: m }], { parallelism: 2 });
export const graph = b.graph;
export const jobGraph = b.jobGraph();
void workerData;
