import { Checksum } from "../data/checksum.js";
import type { Loop, LoopOptions } from "./loop.js";

/*
 * node --import tsx child.ts NAME '{"records": …}': runs a loop once with fewer records, then measures it, and prints a line of JSON.
 */
const [name, json] = process.argv.slice(2) as [string, string];
const options = JSON.parse(json) as LoopOptions & { readonly warmupInput: readonly string[] };
const { run } = (await import(`./${name}.ts`)) as { run: Loop };

await run({ ...options, records: Math.floor(options.records / 4), input: options.warmupInput }, new Checksum());
const out = new Checksum();
const cpu = process.cpuUsage();
const startNs = process.hrtime.bigint();
const processed = await run(options, out);
const seconds = Number(process.hrtime.bigint() - startNs) / 1e9;
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ records: processed ?? options.records, seconds, cpuSeconds: (user + system) / 1e6, outputs: out.outputs, checksum: out.sum }));
process.exit(0);
