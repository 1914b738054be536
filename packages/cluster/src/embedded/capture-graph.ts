import { Configuration, MillraceError, allOptions, decodeValue } from "@millrace/core";
import { compareFingerprints, runJobModule, translate, type ModuleGate } from "@millrace/graph";
import type { JobModule, Pipeline, StreamGraph } from "@millrace/graph";
import type { SlotLoad } from "./slot-protocol.js";

/**
 * Re-runs a job's module and takes the graph it builds, for its functions. Everything else comes from the plan: its configuration, parameters and
 * `env.once` values replace the program's. The module's `execute()` never settles here.
 * @throws `JOB_NOT_DETERMINISTIC` when the graph is not the planned one, `JOB_NOT_DEFINED` when the module ends without one
 */
export function captureGraph(load: SlotLoad, gate: ModuleGate): Promise<StreamGraph> {
  const { jobGraph } = load;
  return new Promise((resolve, reject) => {
    const capture = (pipeline: Pipeline): Promise<never> => {
      gate.running();
      try {
        const config = Configuration.of(jobGraph.config, allOptions);
        compareFingerprints(jobGraph, translate({ ...pipeline, config }, { jobId: jobGraph.jobId, once: jobGraph.once }));
        resolve(pipeline.graph);
      } catch (error) {
        reject(error);
      }
      return new Promise<never>(() => undefined);
    };
    runJobModule(() => gate.load(() => import(load.artifactUrl) as Promise<JobModule>), {
      execute: capture, configOverrides: jobGraph.config, parameterOverrides: jobGraph.parameters,
      onceValue: (name) => {
        const encoded = jobGraph.once[name];
        return encoded === undefined ? undefined : { value: decodeValue(Buffer.from(encoded, "base64")) };
      },
    }).then(() => reject(new MillraceError({
      code: "JOB_NOT_DETERMINISTIC", message: `"${load.source}" called execute() when it was planned, and did not when a slot ran it again`,
      hint: "a job must build the same graph every time it runs with the same arguments", location: { file: load.source },
    })), reject);
  });
}
