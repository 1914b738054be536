import { jobPlan } from "@millrace/graph";
import type { JobRequest } from "./command-line.js";
import { exitCodes, isUsageError } from "./exit-codes.js";
import { renderError } from "./render-error.js";

/** `millrace info`: prints a job's execution plan. */
export async function infoCommand(request: JobRequest): Promise<number> {
  try {
    const { planJob } = await import("./run-job.js");
    const { program, jobGraph } = await planJob(request.job, { args: request.args, config: request.config });
    await program.terminate();
    process.stdout.write(`${JSON.stringify(jobPlan(jobGraph), null, 2)}\n`);
    return exitCodes.finished;
  } catch (error) {
    process.stderr.write(`${renderError(error, request.verbose)}\n`);
    return isUsageError(error, true) ? exitCodes.usage : exitCodes.failed;
  }
}
