import { spawnSync } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL(".", import.meta.url));
const libraries = `${folder}target/lib`;

/** Options of every `java` command of Kafka's. */
export const JAVA_OPTIONS: readonly string[] = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", `-Dlog4j2.configurationFile=${folder}log4j2.properties`, "-cp", `${libraries}/*`];

let missing: string | undefined | null = null;

/**
 * Why Kafka cannot be had here; `undefined` when it can. The first call takes it from Maven Central (54 MB) into `tools/services/kafka/target`.
 * Under CI that it is missing is an error: there nothing is skipped.
 */
export function kafkaMissing(): string | undefined {
  if (missing === null) missing = fetchKafka();
  if (missing !== undefined && process.env["CI"]) throw new Error(`${missing}, and under CI no test is skipped`);
  return missing;
}

function fetchKafka(): string | undefined {
  if (spawnSync("java", ["-version"]).status !== 0) return "`java` is not installed";
  if (existsSync(libraries)) return undefined;
  // Others may fetch at the same time: each into a folder of its own, and whoever is first gives his the name.
  const own = `${libraries}-${process.pid}`;
  const maven = spawnSync("sh", ["-c", `mvn -q -B -o package "-Dlib=${own}" || mvn -q -B package "-Dlib=${own}"`], { cwd: folder, encoding: "utf8" });
  if (maven.status === 0) {
    try {
      renameSync(own, libraries);
    } catch (error) {
      if (!existsSync(libraries)) throw error;
    }
    rmSync(own, { recursive: true, force: true });
    return undefined;
  }
  return `Kafka could not be taken from Maven Central: ${`${maven.stdout}${maven.stderr}${maven.error?.message ?? ""}`}`;
}
