import { jobGraph } from "./zz-shuffle-graph.js";
import { runOnWorkers } from "./support/worker-job.js";
let t0 = 0; let c0: any; 
await runOnWorkers(jobGraph, new URL("./zz-shuffle-graph.ts", import.meta.url).href, 2, (e: any) => { if (e.type === "taskState" && e.state === "RUNNING" && t0 === 0) { t0 = performance.now(); c0 = process.cpuUsage(); } });
const N = 2 * Number(process.env["N"] ?? 5e6); const s = (performance.now() - t0) / 1000; const c = process.cpuUsage(c0); console.log("est. on 2 free cores", (2 * N / (c.user + c.system)).toFixed(2), "M/s; shuffle", (N / s / 1e6).toFixed(2), "M rec/s; cpu", (process.cpuUsage().user / N).toFixed(2), "us/rec");
