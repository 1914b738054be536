import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { LocalCluster, until } from "./processes.js";

/* Jobs bring the packages they use: what is installed where they are submitted is not needed where they run. */
let cluster: LocalCluster;
before(async () => {
  cluster = await LocalCluster.start(0);
});
after(() => cluster.stop());

/** A project with packages of its own, beside a link to this installation. */
function project(files: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), "millrace-project-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  symlinkSync(fileURLToPath(new URL("../../packages/millrace", import.meta.url)), join(directory, "node_modules/millrace"));
  return directory;
}

test("a job runs with its packages after the directory it was submitted from is gone", async () => {
  const directory = project({
    "package.json": "{}",
    "node_modules/loud/package.json": JSON.stringify({ name: "loud", main: "index.js", dependencies: { mark: "1" } }),
    "node_modules/loud/index.js": 'const { mark } = require("mark");\nconst { format } = require("node:util");\nexports.loud = (text) => format("%s%s", text.toUpperCase(), mark);\n',
    "node_modules/mark/package.json": JSON.stringify({ name: "mark", main: "index.js" }),
    "node_modules/mark/index.js": 'exports.mark = "!";\n',
    "job.ts": [
      'import { StreamExecutionEnvironment } from "millrace";', 'import { loud } from "loud";', "const env = StreamExecutionEnvironment.getExecutionEnvironment();",
      'env.fromData("to be", "or not").map((text) => loud(text)).print();', 'await env.execute("loud");', "",
    ].join("\n"),
  });
  const { code, output } = await cluster.run("run", "-d", "-m", cluster.address, "-D", "pipeline.name=loud", join(directory, "job.ts"));
  assert.equal(code, 0, output);
  rmSync(directory, { recursive: true });
  const taskManager = await cluster.startTaskManager();
  await until(async () => (await cluster.run("list", "-a", "-m", cluster.address)).output.includes("FINISHED"));
  // What it prints comes through a pipe of its own.
  await until(() => taskManager.output().includes("TO BE!") && taskManager.output().includes("OR NOT!"));
});

test("a package with native code is refused by name before anything is submitted", async () => {
  const directory = project({
    "package.json": "{}",
    "node_modules/quick/package.json": JSON.stringify({ name: "quick", main: "index.js", gypfile: true }),
    "node_modules/quick/index.js": 'exports.quick = () => "quick";\n',
    "job.ts": [
      'import { StreamExecutionEnvironment } from "millrace";', 'import { quick } from "quick";', "const env = StreamExecutionEnvironment.getExecutionEnvironment();",
      "env.fromData(1).map(() => quick()).print();", "await env.execute();", "",
    ].join("\n"),
  });
  try {
    const { code, output } = await cluster.run("run", "-m", cluster.address, join(directory, "job.ts"));
    assert.notEqual(code, 0);
    assert.match(output, /JOB_PACKAGE_NATIVE/);
    assert.match(output, /"quick"[^]*pipeline\.external-packages=quick/);
    const left = await cluster.run("run", "-m", cluster.address, "-D", "pipeline.external-packages=quick", join(directory, "job.ts"));
    assert.equal(left.code, 0, left.output);
    assert.match(left.output, /^quick$/m);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
