import { jobGraph } from "./zz-shuffle-graph.js";
import { runOnWorkers } from "./support/worker-job.js";
let t0 = 0; 
await runOnWorkers(jobGraph, new URL("./zz-shuffle-graph.ts", import.meta.url).href, 2, (e: any) => { if (e.type === "taskState" && e.state === "RUNNING" && t0 === 0) t0 = performance.now(); });
const N = 2 * Number(process.env["N"] ?? 5e6); const s = (performance.now() - t0) / 1000; console.log("shuffle", (N / s / 1e6).toFixed(2), "M rec/s; cpu", (process.cpuUsage().user / N).toFixed(2), "us/rec");
