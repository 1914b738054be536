import { readFile } from "node:fs/promises";
import { INSTALLED_LIBRARY, INSTALLED_PACKAGE } from "@millrace/graph";
import type { JobArtifact } from "./bundle-job.js";

/**
 * The content of an artifact for a cluster, in which the library, or the packages of it that the job imports by name, are whatever the process that
 * runs it has installed.
 */
export async function portableArtifact(artifact: JobArtifact): Promise<Uint8Array> {
  let text = await readFile(artifact.file, "utf8");
  const { library, installed } = artifact;
  if (library !== undefined) text = text.replaceAll(JSON.stringify(library.millrace), JSON.stringify(INSTALLED_LIBRARY));
  for (const [specifier, url] of Object.entries(installed)) text = text.replaceAll(JSON.stringify(url), JSON.stringify(`${INSTALLED_PACKAGE}${specifier}`));
  return new TextEncoder().encode(text);
}
