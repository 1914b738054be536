import { readFileSync, readdirSync } from "node:fs";
import { differences } from "./compare.mjs";
import { runStepwise } from "./typescript/run-job.ts";
const [, , root, ...seeds] = process.argv;
let n = 0, bad = 0;
for (const s of seeds) for (const f of (process.env.F ? process.env.F.split(",") : readdirSync(`${root}/${s}/out`))) {
  const c = JSON.parse(readFileSync(`${root}/${s}/cases/${f}`)), e = JSON.parse(readFileSync(`${root}/${s}/out/${f}`));
  for (const settings of [{}]) {
    n++;
    let d; try { d = differences(e, await runStepwise(c, settings)); } catch (x) { d = [String(x.stack ?? x)]; }
    if (d.length) { bad++; console.log(s, f, d.length, d.slice(0, 6).map((l) => l.slice(0, 160)).join("\n   ")); }
  }
}
console.log(n, bad);
