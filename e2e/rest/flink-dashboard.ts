// Flink's own dashboard: the static files of flink-runtime-web, as Maven Central has them.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

const VERSION = "2.3.0";
const name = `flink-runtime-web-${VERSION}.jar`;

/** A directory with its files; `undefined` where neither the JAR nor Maven is there. */
export function flinkDashboard(): string | undefined {
  const jar = jarFile();
  if (jar === undefined) return undefined;
  const directory = mkdtempSync(join(tmpdir(), "flink-dashboard-"));
  execFileSync("jar", ["xf", jar, "web"], { cwd: directory });
  return join(directory, "web");
}

/** Debian's browser. */
export function chromiumPath(): string | undefined {
  return [process.env["CHROMIUM"], "/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => path !== undefined && existsSync(path));
}

function jarFile(): string | undefined {
  const kept = join(homedir(), ".m2/repository/org/apache/flink/flink-runtime-web", VERSION, name);
  if (existsSync(kept)) return kept;
  const directory = join(tmpdir(), `millrace-flink-web-${VERSION}`);
  const copied = join(directory, name);
  if (existsSync(copied)) return copied;
  mkdirSync(directory, { recursive: true });
  try {
    execFileSync("mvn", ["-q", "-B", "dependency:copy", `-Dartifact=org.apache.flink:flink-runtime-web:${VERSION}`, `-DoutputDirectory=${directory}`], { stdio: ["ignore", "inherit", "inherit"] });
  } catch {
    return undefined;
  }
  return existsSync(copied) ? copied : undefined;
}
