import { CLAIM_MODE, IGNORE_UNCLAIMED_STATE, SAVEPOINT_PATH } from "@millrace/core";
import type { Configuration, FileSystem } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import { readMetadata } from "./checkpoint-metadata.js";
import type { CompletedCheckpoint } from "./completed-checkpoint-store.js";
import { validateRestore } from "./restore.js";
import { withoutMetadata } from "./savepoint-files.js";

/**
 * What `execution.state-recovery.path` names, checked against the job; `undefined` when the job starts from nothing.
 * @throws what {@link readMetadata} and {@link validateRestore} throw
 */
export async function initialCheckpoint(fs: FileSystem, config: Configuration, jobGraph: JobGraph): Promise<CompletedCheckpoint | undefined> {
  const configured = config.get(SAVEPOINT_PATH);
  if (configured === undefined) return undefined;
  const path = withoutMetadata(fs.resolve(configured));
  const claimed = config.get(CLAIM_MODE) === "CLAIM";
  const checkpoint: CompletedCheckpoint = { path, metadata: await readMetadata(fs, path), external: !claimed, claimed };
  validateRestore(checkpoint, jobGraph, config.get(IGNORE_UNCLAIMED_STATE));
  return checkpoint;
}
