import type { SavepointFormat } from "@millrace/graph";
import type { Command } from "commander";
import type { ClusterRequest } from "./cluster-address.js";
import { jobCommand, parseDefinition, parseParallelism, parseVertexParallelism, toRequest, usageError, type CommandOptions } from "./command-line.js";

interface ProcessOptions {
  readonly define: Readonly<Record<string, string>>;
  readonly configDir?: string;
  readonly readyFile?: string;
}

type SetExitCode = (command: Promise<number>) => Promise<void>;

/** The commands that start, stop and steer a cluster. */
export function clusterCommands(program: Command, run: SetExitCode): void {
  processCommand(program, "jobmanager", "Run a JobManager, which takes jobs and runs them on the slots of TaskManagers.")
    .action(async (options: ProcessOptions) => run((await import("./process-commands.js")).jobManagerCommand(options)));
  processCommand(program, "taskmanager", "Run a TaskManager, which gives slots to the jobs of a JobManager.")
    .action(async (options: ProcessOptions) => run((await import("./process-commands.js")).taskManagerCommand(options)));
  configDir(jobCommand(program, "standalone-job", "Run a JobManager for one job, and end with it (Application mode). Slots come from TaskManagers started separately."))
    .action(async (job: string, args: string[], options: CommandOptions) => run((await import("./standalone-job-command.js")).standaloneJobCommand(toRequest(job, args, options))));
  define(program.command("start-cluster").description("Start a JobManager and TaskManagers on this machine, in the background."))
    .option("-t, --taskmanagers <n>", "number of TaskManagers", "1")
    .option("--dir <directory>", "where logs and process ids go")
    .action(async (options: ProcessOptions & { taskmanagers: string; dir?: string }) =>
      run((await import("./local-cluster.js")).startClusterCommand({ define: options.define, configDir: options.configDir, taskManagers: count(program, options.taskmanagers), directory: options.dir })));
  program.command("stop-cluster").description("Stop the cluster that start-cluster has started.")
    .option("--dir <directory>", "what start-cluster was given")
    .action(async (options: { dir?: string }) => run((await import("./local-cluster.js")).stopClusterCommand({ directory: options.dir })));
  connectionOptions(program.command("list").description("List the jobs of a cluster."))
    .option("-a, --all", "those that have ended, too")
    .option("-r, --running", "only those that run")
    .option("-s, --scheduled", "only those that wait")
    .action(async ({ jobmanager, ...options }: ConnectionOptions) => run((await import("./job-commands.js")).listCommand({ ...options, jobManager: jobmanager })));
  oneJobCommand(program, "cancel", "Cancel a job, without a savepoint.")
    .option("-s, --withSavepoint [directory]", "deprecated, use stop: take a savepoint before")
    .action(async (jobId: string, { withSavepoint, ...options }: ConnectionOptions & { withSavepoint?: string | true }) =>
      run((await import("./job-commands.js")).cancelCommand(jobId, { ...connection(options), ...(withSavepoint === undefined ? {} : { withSavepoint }) })));
  oneJobCommand(program, "stop", "Stop a job behind a savepoint, and print the savepoint's path.")
    .option("-p, --savepointPath <directory>", "where the savepoint's directory is made (default: execution.checkpointing.savepoint-dir)")
    .option("--type <format>", TYPE, parseFormat)
    .option("-d, --drain", "end the sources first, so that all windows and timers fire: for a job that is not to go on")
    .action(async (jobId: string, { savepointPath, drain, type, ...options }: ConnectionOptions & { savepointPath?: string; drain?: boolean; type?: SavepointFormat }) =>
      run((await import("./job-commands.js")).stopCommand(jobId, { ...connection(options), drain: drain ?? false, formatType: type, ...(savepointPath === undefined ? {} : { directory: savepointPath }) })));
  savepointCommand(program, run);
  oneJobCommand(program, "rescale", "Give a running job another parallelism, as far as there are slots (jobmanager.scheduler=adaptive).")
    .option("-p, --parallelism <n>", "of every vertex that can have another one", parseParallelism)
    .option("--vertex <vertex=n>", "of one vertex, by its id or name (may be repeated)", parseVertexParallelism, {})
    .action(async (jobId: string, options: ConnectionOptions & { readonly parallelism?: number; readonly vertex: Readonly<Record<string, number>> }) => {
      const { parallelism, vertex } = options;
      if (parallelism === undefined && Object.keys(vertex).length === 0) throw usageError("say how wide: -p N, or --vertex NAME=N");
      await run((await import("./job-commands.js")).rescaleCommand(jobId, { ...connection(options), vertices: vertex, ...(parallelism === undefined ? {} : { parallelism }) }));
    });
  oneJobCommand(program, "checkpoint", "Take a checkpoint of a job now, and print its path.")
    .option("--full", "one that refers to no files of other checkpoints")
    .action(async (jobId: string, { full, ...options }: ConnectionOptions & { full?: boolean }) =>
      run((await import("./job-commands.js")).checkpointCommand(jobId, { ...connection(options), full: full ?? false })));
}

const TYPE = "canonical, the default: every later release reads it; native: the format of checkpoints, for this release";

function parseFormat(text: string): SavepointFormat {
  const format = text.toUpperCase();
  if (format === "CANONICAL" || format === "NATIVE") return format;
  throw usageError(`"${text}" is not a format of savepoints: give canonical or native`);
}

function savepointCommand(program: Command, run: SetExitCode): void {
  const command = connectionOptions(program.command("savepoint").description("Take a savepoint of a job, and print its path; or delete one."))
    .argument("[job id]", "its id, or the beginning of it")
    .argument("[directory]", "where the savepoint's directory is made (default: execution.checkpointing.savepoint-dir)")
    .option("--type <format>", TYPE, parseFormat)
    .option("-d, --dispose <path>", "delete this savepoint, through the JobManager if one is named")
    .action(async (jobId: string | undefined, directory: string | undefined, { dispose, type, ...options }: ConnectionOptions & { dispose?: string; type?: SavepointFormat }) => {
      const commands = await import("./job-commands.js");
      if (dispose !== undefined) return run(commands.disposeCommand(dispose, connection(options)));
      if (jobId === undefined) return command.error("error: name a job, or a savepoint to --dispose", { exitCode: 2 });
      return run(commands.savepointCommand(jobId, directory, { ...connection(options), formatType: type }));
    });
}

interface ConnectionOptions {
  readonly jobmanager?: string;
  readonly define: Readonly<Record<string, string>>;
  readonly configDir?: string;
}

function oneJobCommand(program: Command, name: string, description: string): Command {
  return connectionOptions(program.command(name).description(description)).argument("<job id>", "its id, or the beginning of it");
}

function connectionOptions(command: Command): Command {
  return define(command.option("-m, --jobmanager <host:port>", "the JobManager; of several, host:port,host:port (default: what the configuration names: high-availability.type, or jobmanager.rpc.address)"));
}

function connection({ jobmanager, define: definitions, configDir: directory }: ConnectionOptions): ClusterRequest {
  return { jobManager: jobmanager, define: definitions, configDir: directory };
}

function processCommand(program: Command, name: string, description: string): Command {
  return define(program.command(name).description(description)).option("--ready-file <path>", "write a file, as JSON, once the process is ready");
}

function configDir(command: Command): Command {
  return command.option("--configDir <directory>", "the directory of config.yaml (default: MILLRACE_CONF_DIR)");
}

function define(command: Command): Command {
  return configDir(command).option("-D, --define <key=value>", "set a configuration key (may be repeated)", parseDefinition, {});
}

function count(program: Command, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1 || value > 100) program.error(`error: "${text}" is not a number of TaskManagers: give one from 1 to 100`, { exitCode: 2 });
  return value;
}
