import type { Configuration } from "@millrace/core";
import type { JobArguments } from "./job-arguments.js";
import type { StreamGraph } from "./stream-graph.js";
import type { JobClient } from "./job-client.js";

/** Everything a program hands over when it calls `execute()`. */
export interface Pipeline {
  readonly graph: StreamGraph;
  readonly jobName: string;
  readonly config: Configuration;
  /** Global job parameters. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Files registered with `registerCachedFile`, path by name. */
  readonly cachedFiles: Readonly<Record<string, string>>;
  /** Results of `env.once` by name. */
  readonly once: ReadonlyMap<string, unknown>;
  /**
   * Takers of results, by the `collectId` of their sink: what a sink writer hands to `SinkWriterContext.collect` arrives here, in the program that
   * called `execute()`, in order per subtask. The executor must have handed over everything before `getJobExecutionResult` settles.
   */
  readonly collectors?: ReadonlyMap<string, CollectedResults>;
}

/** Called once per batch of values that a sink sent back to the program. */
export type CollectedResults = (values: readonly unknown[], subtaskIndex: number) => void;

/**
 * What `env.execute()` calls. The entry package installs one that runs jobs in this thread; plan workers and slots install one that captures the graph.
 */
export interface PipelineExecutor {
  /** Starts the job and resolves once it is submitted. Capturing executors never resolve. */
  execute(pipeline: Pipeline): Promise<JobClient>;
  /** The value of `env.once(name, …)` fixed at planning; `undefined` at planning itself, when the function must be called. */
  onceValue?(name: string): { readonly value: unknown } | undefined;
  /** Told when the program reads arguments by name. */
  onArguments?(reader: JobArguments): void;
  /** Overrides for configuration and parameters, from the command line or the JobGraph; set values win over the program's. */
  readonly configOverrides?: Readonly<Record<string, unknown>>;
  readonly parameterOverrides?: Readonly<Record<string, string>>;
}

const slot: symbol = Symbol.for("millrace.executor");

/** Installs the executor of this isolate. Kept on `globalThis`, so that two copies of the library share it. */
export function installExecutor(executor: PipelineExecutor): void {
  (globalThis as Record<symbol, unknown>)[slot] = executor;
}

export function installedExecutor(): PipelineExecutor | undefined {
  return (globalThis as Record<symbol, unknown>)[slot] as PipelineExecutor | undefined;
}

