import { writeFile } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { buildLibraryBundle, bundleJob, findLibraryBundle, portableArtifact } from "@millrace/client";
import { exitCodes } from "./exit-codes.js";
import { libraryEntries } from "./library-entries.js";
import { packagesToSend } from "./packages-to-send.js";

export interface BundleRequest {
  readonly job: string;
  /** Default: the job's name with `.mjs`, in the working directory. */
  readonly output: string | undefined;
  readonly define: Readonly<Record<string, string>>;
}

/** `millrace bundle`: writes the one file that a cluster needs of a job, for `POST /jars/upload`. */
export async function bundleCommand({ job, output, define }: BundleRequest): Promise<number> {
  const entries = await libraryEntries();
  const library = entries === undefined ? undefined : (findLibraryBundle(entries) ?? (await buildLibraryBundle(entries)));
  const artifact = await bundleJob(resolve(job), library, packagesToSend(define));
  const file = output ?? `${basename(job).replace(/\.[cm]?[jt]s$/, "")}.mjs`;
  await writeFile(file, await portableArtifact(artifact), { flag: resolve(file) === artifact.source ? "wx" : "w" });
  process.stdout.write(`${file}\n`);
  return exitCodes.finished;
}
