import { MillraceError } from "@millrace/core";
import { installExecutor, type Pipeline, type PipelineExecutor } from "./executor.js";

/** What a bundled job says in a cluster where it imports `millrace`: the installation that runs it fills in its own library. */
export const INSTALLED_LIBRARY = "millrace-installation:millrace";

/** What comes before the name of a package in a job that uses packages of the library by name: the installation that runs it has to have them. */
export const INSTALLED_PACKAGE = "millrace-installation-package:";

/** What a bundled job exports: the user's module, and the environment class of the library it uses. */
export interface JobModule {
  readonly job: { readonly default?: unknown };
  readonly StreamExecutionEnvironment: { getExecutionEnvironment(): { execute(): Promise<unknown> } };
}

/**
 * Runs a job's module under an executor: its top level, then its default export if that is a function; when that has returned and nothing was
 * executed, `env.execute()` is called for it. Rejects with what the module throws; when `execute()` never settles, neither does this.
 */
export async function runJobModule(load: () => Promise<JobModule>, executor: PipelineExecutor): Promise<void> {
  let executed = false;
  installExecutor({
    ...executor,
    execute: (pipeline: Pipeline) => {
      if (executed) {
        return Promise.reject(new MillraceError({
          code: "JOB_SECOND_EXECUTE", message: "the job called execute() a second time",
          hint: "a job that runs on worker threads or a cluster is one pipeline: build both in one graph, or run two jobs",
        }));
      }
      executed = true;
      return executor.execute(pipeline);
    },
  });
  const { job, StreamExecutionEnvironment } = await load();
  const main = job.default;
  if (typeof main !== "function") return;
  const env = StreamExecutionEnvironment.getExecutionEnvironment();
  await (main as (env: unknown) => unknown)(env);
  if (!executed) await env.execute();
}
