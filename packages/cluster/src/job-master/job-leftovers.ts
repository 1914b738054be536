import type { Configuration } from "@millrace/core";
import type { CheckpointStore } from "../checkpoint/checkpoint-store.js";
import { isRetained } from "../checkpoint/retention.js";
import type { JobEnd } from "./job-end.js";
import type { JobMasterInit } from "./job-master-init.js";

/** How a job came to its end, as far as it matters for its files. */
export interface Leaving {
  readonly status: JobEnd["status"];
  /** What earlier leaders have completed could not be read. */
  readonly unreadable: boolean;
  /** Never the job's own. */
  readonly restoredFrom: string | undefined;
}

/** Deletes what a job leaves behind, unless it is to be retained. */
export async function deleteLeftovers(
  { checkpointDirectory, temporaryDirectory }: Pick<JobMasterInit, "checkpointDirectory" | "temporaryDirectory">, config: Configuration, store: CheckpointStore, { status, unreadable, restoredFrom }: Leaving,
): Promise<void> {
  await store.deleteFiles(temporaryDirectory);
  // What cannot be read may be mended.
  if (unreadable || isRetained(config, status, store.all.some(({ external }) => !external))) return;
  await store.discardAll();
  if (restoredFrom?.startsWith(`${checkpointDirectory}/`) !== true) await store.deleteFiles(checkpointDirectory);
}
