import type { BundlePlanner } from "@millrace/cluster/process";
import type { JobGraph } from "@millrace/graph";
import { libraryEntries } from "./library-entries.js";
import { onWorkers } from "./remote-job.js";

const PLANNING_TIMEOUT_MS = 60_000;

/** Plans uploaded bundles on the library of this installation, each in a worker thread of its own that ends with its plan, or when it takes too long. */
export async function bundlePlanner(planningTimeoutMs: number = PLANNING_TIMEOUT_MS): Promise<BundlePlanner> {
  const { buildLibraryBundle, findLibraryBundle, JobProgram } = await import("@millrace/client");
  const entries = await libraryEntries();
  const library = entries === undefined ? undefined : (findLibraryBundle(entries) ?? (await buildLibraryBundle(entries)));
  return {
    libraryUrl: library?.millrace ?? entries?.millrace ?? "",
    resolvePackage: (specifier) => {
      try {
        return import.meta.resolve(specifier);
      } catch {
        return undefined;
      }
    },
    plan: async ({ artifactUrl, usesLibrary, source, args, config, jobId }): Promise<JobGraph> => {
      const program = new JobProgram({
        artifactUrl, source, args, config: onWorkers(config), parameters: {}, jobId, planningTimeoutMs, entryUrl: usesLibrary ? library?.program : undefined,
      });
      try {
        return await program.plan;
      } finally {
        await program.terminate();
      }
    },
  };
}
