// `npm run demo`: runs examples/late-flights.ts with the real command, on the built packages. Arguments are passed on to the job.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bold = (text) => (process.stdout.isTTY && process.env.NO_COLOR === undefined ? `\u001b[1m${text}\u001b[22m` : text);

console.log(`${bold("Late flights")}: the 328,521 flights that left New York in 2013, in the order in which they left.
Hours (UTC, by schedule) in which at least 90 % of a carrier's flights were late, as the year goes by, and the year at its end.
${bold("$ npx millrace run examples/late-flights.ts")}
`);

const child = spawn(process.execPath, ["packages/cli/dist/main.js", "run", "examples/late-flights.ts", ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
// Ctrl-C goes to the job as well, which then ends in good order: wait for it.
process.on("SIGINT", () => {});
child.on("error", (error) => {
  console.error(`the demo could not be started: ${error.message}`);
  process.exitCode = 1;
});
child.on("close", (exitCode, signal) => {
  if (exitCode === 0) {
    console.log(`
The job is ${bold("examples/late-flights.ts")}. Change it, run it again with -p 2, or try another one:
  npx millrace run examples/word-count.ts --input examples/data/words.txt
  npx millrace run -D execution.runtime-mode=BATCH examples/word-count.ts --input examples/data/words.txt`);
  }
  process.exitCode = signal === null ? exitCode : signal === "SIGINT" ? 130 : 1;
});
