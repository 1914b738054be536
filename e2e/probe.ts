import { StreamExecutionEnvironment, runJob } from "millrace";
import { cases } from "./bad-input/cases.js";
import { writeFileSync, mkdtempSync } from "node:fs";
const d = mkdtempSync("/tmp/mr/bad-");
writeFileSync(d + "/people.csv", "name,age\nann,5\nbob,six\n"); writeFileSync(d + "/events.jsonl", '{"a":1}\n{"a":2}\n{"a":}\n');
process.env.BAD_INPUT_MISSING = d + "/peple.csv"; process.env.BAD_INPUT_CSV = d + "/people.csv"; process.env.BAD_INPUT_JSON = d + "/events.jsonl";
const show = (e: any): string => { const out = []; for (let i = 0; e && i < 5; i++, e = e.cause) out.push(`${e.code ?? e.name ?? typeof e}: ${e.message ?? e} ${JSON.stringify(e.location ?? {})} H:${e.hint ?? ""}`); return out.join("\n     <- "); };
const log = { write() {} };
for (const [name, build] of Object.entries(cases)) {
  if (process.argv[2] && !new RegExp(process.argv[2]).test(name)) continue;
  let inline = "OK", worker = "OK";
  try { const env = StreamExecutionEnvironment.getExecutionEnvironment(); build(env); await env.execute(); } catch (e) { inline = show(e); }
  if (process.env.W) try { await runJob(new URL("./bad-input/cases.ts", import.meta.url), { args: [name], parallelism: 2, log }); } catch (e) { worker = show(e); }
  console.log(`== ${name}\n  I: ${inline}` + (process.env.W ? `\n  W: ${worker}` : ""));
}
