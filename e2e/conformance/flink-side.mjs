// Runs Flink itself over the cases, by the Maven project in bench/peers/flink.
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const project = join(import.meta.dirname, "../../bench/peers/flink");

/** Thrown when this machine cannot run Flink; the message says what is missing. */
export class FlinkUnavailable extends Error {}

function has(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

async function reachesMavenCentral() {
  try {
    const response = await fetch("https://repo.maven.apache.org/maven2/", { method: "HEAD", signal: AbortSignal.timeout(15_000) });
    return response.status < 500;
  } catch {
    return false;
  }
}

async function build() {
  for (const [command, flag] of [["java", "-version"], ["mvn", "-version"]]) {
    if (!has(command, [flag])) throw new FlinkUnavailable(`\`${command}\` is not installed (needed: Java 17 or newer, and Maven)`);
  }
  if (spawnSync("mvn", ["-q", "-o", "-B", "package"], { cwd: project, stdio: "ignore" }).status === 0) return;
  const online = spawnSync("mvn", ["-q", "-B", "package"], { cwd: project, encoding: "utf8" });
  if (online.status === 0) return;
  if (!(await reachesMavenCentral())) {
    throw new FlinkUnavailable("Maven Central (repo.maven.apache.org) cannot be reached, and Flink is not in the local repository");
  }
  throw new Error(`mvn package failed in bench/peers/flink:\n${online.stdout}${online.stderr}`);
}

/** Builds the project, runs all cases into `out`, and returns the results by file name. */
export async function runFlink(cases, out) {
  await build();
  execFileSync(
    "java",
    [
      "@java.args", "-Xmx1g", "-cp", ["target/peer.jar", "target/lib/*"].join(process.platform === "win32" ? ";" : ":"),
      "dev.millrace.peer.conformance.Conformance", "--cases", cases, "--out", out,
    ],
    { cwd: project, stdio: ["ignore", "ignore", "inherit"] },
  );
  return new Map(readdirSync(out).map((file) => [file, readFileSync(join(out, file), "utf8")]));
}
