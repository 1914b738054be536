// Starts a real Flink with its REST endpoint (bench/peers/flink must be built, Java 17 there), asks every route about a running job, and writes the shapes of the
// answers to flink-2.3.0.json, which contract.it.ts holds ours against: node e2e/rest/record.mjs RUNTIME_WEB_JAR
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { shapeOf } from "./shape.mjs";
import { requests } from "./requests.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const peer = join(here, "../../bench/peers/flink");
const port = 18_981;
const base = `http://127.0.0.1:${port}`;
const directory = mkdtempSync(join(tmpdir(), "flink-shapes-"));
const classPath = [directory, join(peer, "target/lib/*"), process.argv[2]].join(":");
execFileSync("javac", ["-cp", classPath, "-d", directory, join(here, "flink/RunCluster.java")], { stdio: "inherit" });
const java = spawn("java", [`@${join(peer, "java.args")}`, "-Xmx1g", "-cp", classPath, "RunCluster", String(port), directory], { stdio: ["pipe", "pipe", "inherit"] });
const jobId = await new Promise((resolve, reject) => {
  let text = "";
  java.stdout.on("data", (chunk) => {
    text += chunk;
    const match = /^JOB ([0-9a-f]{32})$/m.exec(text);
    if (match) resolve(match[1]);
  });
  java.on("exit", (code) => reject(new Error(`the cluster ended with ${code}`)));
});

const ask = async (method, path, body) => {
  const response = await fetch(base + path, { method, ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }) });
  const text = await response.text();
  try {
    return { status: response.status, body: JSON.parse(text) };
  } catch {
    return { status: response.status, text };
  }
};

try {
  const shapes = {};
  const answers = {};
  for await (const { name, status, body } of requests({ ask, jobId })) {
    shapes[name] = { status, shape: shapeOf(body) };
    answers[name] = body;
  }
  writeFileSync(join(here, "flink-2.3.0.json"), `${JSON.stringify(shapes, null, 1)}\n`);
  if (process.env.ANSWERS) writeFileSync(process.env.ANSWERS, JSON.stringify(answers, null, 1));
  console.log(`${Object.keys(shapes).length} answers`);
} finally {
  java.stdin.end("\n");
  java.kill();
}
