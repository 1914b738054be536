import { drawScenario, runScenario } from "/tmp/wt/sim/e2e/simulation/run-seed.js";
const from = Number(process.argv[2] ?? 1), n = Number(process.argv[3] ?? 1), trace = process.argv.includes("--trace"), nofault = process.argv.includes("--nofault");
let rejected: unknown; process.on("unhandledRejection", (e) => { console.log("UNHANDLED", e); });
const t0 = Date.now(); let ev = 0, vms=0; const cps: number[] = [], aft: number[]=[]; const struck: Record<string, number> = {};
for (let seed = from; seed < from + n; seed++) {
  const sc = drawScenario(seed); const t1 = Date.now();
  const o = await runScenario(nofault ? { ...sc, faults: [] } : sc, { keepsTrace: trace });
  ev += o.events; cps.push(o.completedCheckpoints); aft.push(o.afterState); vms += o.virtualMs;
  for (const [k, v] of Object.entries(o.struck)) struck[k] = (struck[k] ?? 0) + v!;
  if (trace) console.log(o.trace.join("\n"));
  if (o.violations.length > 0 || n < 5) console.log(seed, o.hash, o.events, o.virtualMs, "chk", o.completedCheckpoints, "sub", o.submissions, "att", o.attempts, "buf", o.buffers, Date.now()-t1, "ms", o.violations.slice(0, 2).map((v) => v.slice(0, 400)));
}
const med = (a: number[]) => a.sort((x, y) => x - y)[a.length >> 1];
console.log(n, "seeds", Date.now() - t0, "ms", ev, "events", vms/n, "virtual ms; checkpoints", med(cps), "faults after state", med(aft), JSON.stringify(struck));
if (process.argv.includes("--spec")) console.log(JSON.stringify(drawScenario(from).job));
