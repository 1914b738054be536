import { readFileSync } from "node:fs";
import { runStepwise } from "./typescript/run-job.ts";
const c = JSON.parse(readFileSync(process.argv[2]));
const to = Number(process.argv[3]);
for (const o of (await runStepwise(c)).outputs) if (o.step <= to) console.log(JSON.stringify(o));
