import { existsSync, writeFileSync } from "node:fs";
import { StreamExecutionEnvironment } from "millrace";

// Planned once, then loaded again by a slot, where it never gets to its end.
const marker = process.argv[2]!;
if (existsSync(marker)) while (true);
writeFileSync(marker, "");
const env = StreamExecutionEnvironment.getExecutionEnvironment();
env.fromData(1).print();
await env.execute();
