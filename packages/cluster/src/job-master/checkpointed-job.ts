import type { MillraceError } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import { isSavepoint } from "../checkpoint/checkpoint-metadata.js";
import type { CheckpointParties } from "../checkpoint/checkpoint-parties.js";
import type { Savepoints } from "../checkpoint/savepoints.js";
import type { AdaptiveScheduler } from "../scheduler/adaptive-scheduler.js";
import type { CollectedResults } from "./collected-results.js";
import type { DeployedRegions } from "./deployed-regions.js";
import { sourceOperators } from "./source-coordinators.js";

/** Parts of a JobMaster, each asked for when it is needed. */
export interface CheckpointedJob {
  readonly jobGraph: JobGraph;
  readonly regions: () => DeployedRegions | undefined;
  readonly savepoints: () => Savepoints;
  readonly results: () => CollectedResults;
  readonly adaptive: AdaptiveScheduler | undefined;
  readonly failJob: (error: MillraceError) => void;
}

/** Whom the checkpoint coordinator of a job asks and tells. */
export function checkpointParties({ jobGraph, regions, savepoints, results, adaptive, failJob }: CheckpointedJob): CheckpointParties {
  return {
    sourceCoordinators: [...sourceOperators(jobGraph).keys()],
    snapshotCoordinator: (operatorId, checkpointId) => regions()!.ofOperator(operatorId)!.sources.snapshot(operatorId, checkpointId),
    triggerTasks: (...trigger) => regions()!.triggerCheckpoint(...trigger),
    releaseCoordinatorEvents: () => regions()?.releaseCoordinatorEvents(),
    notifyComplete: ({ path, metadata }) => {
      const { checkpointId } = metadata;
      if (isSavepoint(metadata)) savepoints().stopsBehind(path);
      results().checkpointComplete(checkpointId);
      regions()!.notifyCheckpoint("checkpointComplete", checkpointId);
      adaptive?.checkpointCompleted();
    },
    notifyAborted: (checkpointId) => {
      regions()!.notifyCheckpoint("checkpointAborted", checkpointId);
      adaptive?.checkpointFailed();
    },
    stopBegins: () => adaptive?.stoppingBehindSavepoint(),
    stopFailed: () => adaptive?.goesOn(),
    failJob,
  };
}
