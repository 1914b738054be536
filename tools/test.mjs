// Runs every test of the repository on the built packages: `npm test [-- FILTER…]`, where a filter is a part of a path.
import { spawn } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
/** A test that runs this long hangs: end it with its name instead of waiting for ever. Far above any real duration. */
const HANG_MS = 900_000;
const filters = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));

function* testsBelow(directory) {
  for (const name of readdirSync(directory).sort()) {
    if (name === "node_modules" || name === "dist" || name === "target") continue;
    const path = join(directory, name);
    if (statSync(path).isDirectory()) yield* testsBelow(path);
    else if (/\.(test|fuzz|it)\.(ts|mjs)$/.test(name)) yield relative(root, path);
  }
}

const files = ["packages", "examples", "e2e", "docs", "tools", "bench"]
  .flatMap((folder) => [...testsBelow(join(root, folder))])
  .filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
if (files.length === 0) {
  console.error(`no test matches ${filters.join(" ")}`);
  process.exit(2);
}
const child = spawn(process.execPath, ["--import", "tsx", "--test", "--test-concurrency=2", `--test-timeout=${HANG_MS}`, "--test-reporter=spec", ...files], { cwd: root, stdio: "inherit" });
child.on("exit", (code, signal) => process.exit(signal === null ? code : 1));
