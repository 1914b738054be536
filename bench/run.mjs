#!/usr/bin/env node
// npm run bench -- [--list] [--only NAME[,NAME]] [--json FILE] [--smoke] [--runs N] [--skip-flink] [--write-results]
import { register } from "tsx/esm/api";

register();
const { main } = await import("./src/main.ts");
process.exitCode = await main(process.argv.slice(2));
