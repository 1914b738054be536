import { readFileSync } from "node:fs";
import { Command, CommanderError, Option } from "commander";
import type { ClusterRequest } from "./cluster-address.js";
import { clusterCommands } from "./cluster-commands.js";
import type { EarlyStart } from "./early-start.js";
import { exitCodes, isUsageError } from "./exit-codes.js";
import { portablePath } from "./portable-path.js";
import { flinkOptions, jobOptions, runOptions, type OptionDefinition } from "./run-options.js";

const examples = `
Examples:
  millrace run word-count.ts --input words.txt         run a job on worker threads, with its arguments
  millrace run -p 4 job.ts                             parallelism 4
  millrace run -D execution.runtime-mode=BATCH job.ts  set any configuration key
  millrace run -s checkpoints/<job id>/chk-7 job.ts    go on from a retained checkpoint
  millrace run --rest job.ts                           serve the REST API while it runs
  millrace start-cluster -D taskmanager.numberOfTaskSlots=4  a cluster on this machine
  millrace run -m 127.0.0.1:6123 -d job.ts             run a job there
  millrace savepoint <job id> savepoints               take a savepoint there, and print its path
  millrace stop -p savepoints <job id>                 stop it behind a savepoint; go on with run -s
  millrace info job.ts                                 print the execution plan as JSON

Exit codes: 0 finished, 1 the job failed, 2 wrong usage, configuration or job file, 130 cancelled with Ctrl-C.`;

/**
 * Runs `millrace` with these arguments (`process.argv`); resolves with the exit code.
 * @param early what was begun of a run before
 */
export async function runCommandLine(argv: readonly string[], early?: EarlyStart): Promise<number> {
  let exitCode: number = exitCodes.finished;
  const program = new Command("millrace")
    .description("Stateful stream and batch processing for TypeScript.")
    .version(version(), "-V, --version")
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .addHelpText("after", examples)
    .exitOverride();
  const setExitCode = async (command: Promise<number>): Promise<void> => {
    exitCode = await command;
  };
  withOptions(jobCommand(program, "run", "Run a job, a TypeScript or JavaScript module, on worker threads of this process, or in a cluster."), runOptions)
    .action(async (job: string, args: string[], options: CommandOptions) => {
      const cluster = clusterOf(options);
      // What it goes on with is loaded beside it.
      if (cluster !== undefined) void import("./remote-job.js");
      const { runCommand } = await import("./run-command.js");
      await setExitCode(runCommand({
        ...withRest(toRequest(job, args, options), options.rest === true), inline: options.inline ?? false, quiet: options.quiet ?? false, cluster,
        detached: detached(options), cancelOnExit: options.shutdownOnAttachedExit ?? false, early,
      }));
    });
  jobCommand(program, "info", "Print the execution plan of a job as JSON, without running it.")
    .action(async (job: string, args: string[], options: CommandOptions) => {
      const { infoCommand } = await import("./info-command.js");
      exitCode = await infoCommand(toRequest(job, args, options));
    });
  clusterCommands(program, setExitCode);
  program.command("cert")
    .description("Make a certificate for TLS between and to the parts of a cluster, and the cluster's CA when there is none yet.")
    .argument("<name>", "what the certificate is for; also the name of its files")
    .option("--dir <directory>", "where the CA is, and where files go", "millrace-certs")
    .option("--host <host...>", "host names and addresses a server is reached by", [])
    .option("--role <role>", "for a client: viewer, submitter or operator", parseRole)
    .addOption(new Option("--internal", "for a process of the cluster").conflicts("role"))
    .option("--days <n>", "how long it is valid", parseDays)
    .action(async (name: string, options: { dir: string; host: string[]; role?: "viewer" | "submitter" | "operator"; internal?: true; days?: number }) => {
      const { certCommand } = await import("./cert-command.js");
      await certCommand({ name, directory: options.dir, hosts: options.host, role: options.internal === true ? "internal" : options.role, validDays: options.days });
    });
  program.command("token")
    .description("Make a token for the REST API: prints it once, and adds its hash to the tokens file.")
    .argument("<name>", "whose token it is")
    .requiredOption("--role <role>", "what it may do: viewer, submitter or operator", parseRole)
    .option("--file <file>", "the tokens file (security.rest.tokens-file)", "millrace-tokens")
    .action(async (name: string, options: { role: "viewer" | "submitter" | "operator"; file: string }) => {
      const { tokenCommand } = await import("./cert-command.js");
      await tokenCommand(name, options.role, options.file);
    });
  try {
    await program.parseAsync(withFlinkOptions(argv));
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.finished : exitCodes.usage;
    const { renderError } = await import("./render-error.js");
    process.stderr.write(`${renderError(error, argv.includes("--verbose"))}\n`);
    return isUsageError(error) ? exitCodes.usage : exitCodes.failed;
  }
}

/** What both commands are asked to do. */
export interface JobRequest {
  readonly job: string;
  readonly args: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  /** Of the commands that have one. */
  readonly configDir?: string | undefined;
  readonly verbose: boolean;
}

export interface CommandOptions {
  readonly parallelism?: number;
  readonly define: Readonly<Record<string, string>>;
  readonly configDir?: string;
  readonly fromSavepoint?: string;
  readonly allowNonRestoredState?: boolean;
  readonly claimMode?: string;
  readonly inline?: boolean;
  readonly quiet?: boolean;
  readonly jobmanager?: string;
  readonly target?: "remote" | "local";
  readonly detached?: boolean;
  readonly shutdownOnAttachedExit?: boolean;
  readonly rest?: boolean;
  readonly verbose?: boolean;
}

/** `-D rest.port` wins over `--rest`. */
function withRest(request: JobRequest, rest: boolean): JobRequest {
  return rest ? { ...request, config: { "rest.port": "8081-8099", ...request.config } } : request;
}

export function jobCommand(program: Command, name: string, description: string): Command {
  const command = program.command(name)
    .description(description)
    .argument("<job>", "the job's module")
    .argument("[arguments...]", "arguments of the job; everything after its name is its own")
    .passThroughOptions()
    .addHelpText("after", examples);
  return withOptions(command, jobOptions);
}

function withOptions(command: Command, options: readonly OptionDefinition[]): Command {
  for (const { flags, description, value } of options) {
    if (value === "definition") command.option(flags, description, parseDefinition, {});
    else if (value === undefined) command.option(flags, description);
    else command.option<unknown>(flags, description, value === "parallelism" ? parseParallelism : parseTarget);
  }
  return command;
}

export function toRequest(job: string, args: readonly string[], options: CommandOptions): JobRequest {
  return {
    job, args, configDir: options.configDir, verbose: options.verbose ?? false,
    config: {
      ...options.define,
      ...(options.parallelism === undefined ? {} : { "parallelism.default": options.parallelism }),
      ...(options.fromSavepoint === undefined ? {} : { "execution.state-recovery.path": portablePath(options.fromSavepoint) }),
      ...(options.claimMode === undefined ? {} : { "execution.state-recovery.claim-mode": options.claimMode }),
      ...(options.allowNonRestoredState === true ? { "execution.state-recovery.ignore-unclaimed-state": true } : {}),
    },
  };
}

/** Flink's long options with one dash, and its names, as this parser knows them; up to the job's module, since the rest is the job's. */
function withFlinkOptions(argv: readonly string[]): string[] {
  const end = argv.findIndex((argument, index) => index > 1 && /\.[cm]?[jt]s$/.test(argument));
  return argv.map((argument, index) => (end >= 0 && index >= end ? argument : (flinkOptions[argument] ?? argument)));
}

/** The cluster that a job is submitted to, if it is. */
function clusterOf({ jobmanager, target, define, configDir }: CommandOptions): ClusterRequest | undefined {
  if (jobmanager === undefined && target !== "remote") return undefined;
  if (target === "local") throw usageError("-m names a cluster, and -t local says to run the job here: leave one of them out");
  return { jobManager: jobmanager, configDir, define };
}

function detached(options: CommandOptions): boolean {
  const { detached: wanted = false } = options;
  if (!wanted || clusterOf(options) !== undefined) return wanted;
  throw new CommanderError(exitCodes.usage, "millrace.detached", usage("-d needs a cluster that runs the job: add -m HOST:PORT, or -t remote"));
}

function parseTarget(text: string): string {
  if (text === "remote" || text === "local") return text;
  throw usageError(`"${text}" is not a target: give remote or local`);
}

function parseRole(text: string): string {
  if (["viewer", "submitter", "operator"].includes(text)) return text;
  throw new CommanderError(exitCodes.usage, "millrace.role", usage(`"${text}" is not a role: give viewer, submitter or operator`));
}

function parseDays(text: string): number {
  const days = Number(text);
  if (!Number.isSafeInteger(days) || days < 1) throw new CommanderError(exitCodes.usage, "millrace.days", usage(`"${text}" is not a number of days`));
  return days;
}

export function parseParallelism(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new CommanderError(exitCodes.usage, "millrace.parallelism", usage(`"${text}" is not a parallelism: give a whole number from 1`));
  return value;
}

export function parseDefinition(text: string, previous: Readonly<Record<string, string>>): Record<string, string> {
  const at = text.indexOf("=");
  if (at < 1) throw new CommanderError(exitCodes.usage, "millrace.define", usage(`"${text}" is not a definition: write -D key=value`));
  return { ...previous, [text.slice(0, at).trim()]: text.slice(at + 1) };
}

/** `vertex=n`; the name itself may hold `=`. */
export function parseVertexParallelism(text: string, previous: Readonly<Record<string, number>>): Record<string, number> {
  const at = text.lastIndexOf("=");
  if (at < 1) throw usageError(`"${text}" does not say how wide: write --vertex NAME=N`);
  return { ...previous, [text.slice(0, at)]: parseParallelism(text.slice(at + 1)) };
}

export function usageError(message: string): CommanderError {
  return new CommanderError(exitCodes.usage, "millrace.usage", usage(message));
}

/** Commander prints its own messages; ours have to be printed before they are thrown. */
function usage(message: string): string {
  process.stderr.write(`error: ${message}\n`);
  return message;
}

function version(): string {
  return (JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }).version;
}
