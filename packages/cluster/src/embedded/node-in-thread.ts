import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LogSink } from "@millrace/core";
import { createNodeEnv } from "@millrace/env-node";
import { InThreadExecutor, type InThreadOptions } from "../in-thread/in-thread-executor.js";
import { consoleLog } from "./console-log.js";
import { showJob } from "./show-job.js";

/**
 * An executor that runs jobs in this thread of a Node process, in the real world. `log` defaults to {@link consoleLog}. A job whose configuration sets
 * `rest.port` or a metrics reporter is shown there; when that cannot start, the job is cancelled.
 */
export function nodeInThreadExecutor({ log = consoleLog, onJob, ...options }: Partial<InThreadOptions> & { readonly log?: LogSink } = {}): InThreadExecutor {
  return new InThreadExecutor({
    env: { ...createNodeEnv(), log }, temporaryDirectory: join(tmpdir(), "millrace-checkpoints"), ...options,
    onJob: (job) => {
      onJob?.(job);
      showJob(job, log).catch((error: unknown) => {
        log.write("error", `the job's REST server or metrics reporters cannot start: ${(error as Error).message}`);
        job.cancel();
      });
    },
  });
}
