import { fileURLToPath } from "node:url";
import { mavenLibraries } from "../maven-libraries.js";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** Options of every `java` command of Kafka's. */
export const JAVA_OPTIONS: readonly string[] = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", `-Dlog4j2.configurationFile=${folder}log4j2.properties`, "-cp", `${folder}target/lib/*`];

let missing: string | undefined | null = null;

/** Why Kafka cannot be had here; `undefined` when it can. The first call takes 54 MB from Maven Central. Under CI that it is missing is an error. */
export function kafkaMissing(): string | undefined {
  if (missing === null) missing = mavenLibraries("Kafka", folder);
  return missing;
}
