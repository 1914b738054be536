import type { BundledPackages, JobArtifact } from "@millrace/client";
import { findLibraryBundle, type LibraryEntries } from "@millrace/client/library-bundle";
import { prestartProgram, type PrestartedProgram } from "@millrace/client/prestarted-program";
import { jobPath } from "./job-path.js";
import { packagesToSend } from "./packages-to-send.js";
import type { EarlyRun } from "./read-run.js";

/** What is begun of a run while the command is loaded. */
export interface EarlyStart {
  readonly library: LibraryEntries;
  /** A thread for the job's program. */
  readonly program: PrestartedProgram;
  /** The job's bundle, if it was guessed right which one is wanted. */
  bundle(job: string, packages: BundledPackages | undefined): Promise<JobArtifact> | undefined;
}

/** The library of this installation in a few files. `undefined`: they have not been made. */
export function earlyLibrary(): LibraryEntries | undefined {
  try {
    return findLibraryBundle({ millrace: import.meta.resolve("millrace") });
  } catch {
    return undefined;
  }
}

/**
 * Starts the thread for a job's program and, in a process of its own, what bundles the job; both work while the command is loaded. What is wrong with the
 * job is heard by who asks for its bundle.
 */
export async function startEarly(library: LibraryEntries, { job, submits, definitions }: EarlyRun): Promise<EarlyStart> {
  const program = prestartProgram(library.program, library.millrace);
  const packages = submits ? packagesToSend(definitions) : undefined;
  const bundler = library.bundler === undefined ? undefined : ((await import(library.bundler)) as Pick<typeof import("@millrace/client"), "bundleJob">);
  const artifact = bundler === undefined ? undefined : (async () => bundler.bundleJob(jobPath(job), library, packages))();
  artifact?.catch(() => undefined);
  const isSame = (wanted: string, wantedPackages: BundledPackages | undefined): boolean => wanted === job && JSON.stringify(wantedPackages) === JSON.stringify(packages);
  return { library, program, bundle: (wanted, wantedPackages) => (isSame(wanted, wantedPackages) ? artifact : undefined) };
}
