import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const VERSION = "1.12.0";
const folder = fileURLToPath(new URL("./target", import.meta.url));
const jar = `${folder}/avro-tools-${VERSION}.jar`;

let missing: string | undefined | null = null;

/**
 * Why Avro's own tools cannot be had here; `undefined` when they can. The first call takes them from Maven Central (57 MB).
 * Under CI that they are missing is an error: there nothing is skipped.
 */
export function avroToolsMissing(): string | undefined {
  if (missing === null) missing = fetchTools();
  if (missing !== undefined && process.env["CI"]) throw new Error(`${missing}, and under CI no test is skipped`);
  return missing;
}

/** Runs one of Avro's tools: `tojson`, `fromjson`, `getschema`, … */
export function avroTool(args: readonly string[], input: string = "", encoding: "utf8" | "latin1" = "utf8"): string {
  const result = spawnSync("java", ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-jar", jar, ...args], { input, encoding, maxBuffer: 1 << 28 });
  if (result.status !== 0) throw new Error(`avro-tools ${args.join(" ")}: ${result.stderr}`);
  return result.stdout;
}

function fetchTools(): string | undefined {
  if (spawnSync("java", ["-version"]).status !== 0) return "`java` is not installed";
  if (existsSync(jar)) return undefined;
  const maven = spawnSync("mvn", ["-q", "-B", "dependency:copy", `-Dartifact=org.apache.avro:avro-tools:${VERSION}`, `-DoutputDirectory=${folder}`], { encoding: "utf8" });
  return existsSync(jar) ? undefined : `avro-tools could not be taken from Maven Central: ${`${maven.stdout}${maven.stderr}${maven.error?.message ?? ""}`}`;
}
