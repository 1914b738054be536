import { spawnSync } from "node:child_process";
import { existsSync, renameSync, rmSync } from "node:fs";

/**
 * Makes sure that a server's libraries are in `<folder>/target/lib`, as its `pom.xml` names them; the first call takes them from Maven Central.
 * @returns why they cannot be had; `undefined` when they can. Under CI that is an error: there nothing is skipped.
 */
export function mavenLibraries(name: string, folder: string): string | undefined {
  const missing = fetchLibraries(name, folder);
  if (missing !== undefined && process.env["CI"]) throw new Error(`${missing}, and under CI no test is skipped`);
  return missing;
}

function fetchLibraries(name: string, folder: string): string | undefined {
  const libraries = `${folder}target/lib`;
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
  return `${name} could not be taken from Maven Central: ${`${maven.stdout}${maven.stderr}${maven.error?.message ?? ""}`}`;
}
