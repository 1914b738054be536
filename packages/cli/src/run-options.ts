/** An option of the command line. */
export interface OptionDefinition {
  /** As commander reads them; a value stands in angle brackets. */
  readonly flags: string;
  readonly description: string;
  /** How its value is read; default as text. */
  readonly value?: "parallelism" | "definition" | "target";
}

/** Options of every command that plans a job. */
export const jobOptions: readonly OptionDefinition[] = [
  { flags: "-p, --parallelism <n>", description: "parallelism of operators that set none", value: "parallelism" },
  { flags: "-D, --define <key=value>", description: "set a configuration key (may be repeated)", value: "definition" },
  { flags: "-s, --from-savepoint <path>", description: "directory of the savepoint or checkpoint to start from" },
  { flags: "-n, --allow-non-restored-state", description: "drop state of operators that the job no longer has" },
  { flags: "-c, --claim-mode <mode>", description: "whether what it starts from stays yours (NO_CLAIM, the default) or becomes the job's to delete (CLAIM)" },
  { flags: "--verbose", description: "show whole stack traces" },
];

/** Those that only `run` has. */
export const runOptions: readonly OptionDefinition[] = [
  { flags: "-m, --jobmanager <host:port>", description: "submit the job to the cluster of this JobManager; of several, host:port,host:port" },
  {
    flags: "-t, --target <target>", value: "target",
    description: "remote: submit the job to the cluster that the configuration names (high-availability.type, or jobmanager.rpc.address); local: run it here, the default without -m",
  },
  { flags: "--configDir <directory>", description: "with -t remote: the directory of config.yaml (default: MILLRACE_CONF_DIR)" },
  { flags: "-d, --detached", description: "with -m: return as soon as the job is submitted" },
  { flags: "--shutdown-on-attached-exit", description: "with -m: Ctrl-C, or the end of this process, cancels the job instead of leaving it" },
  { flags: "--inline", description: "run in one thread, without worker threads (slot.isolation=inline)" },
  { flags: "-q, --quiet", description: "no status line and no summary" },
  { flags: "--rest", description: "serve the REST API while the job runs, on port 8081 or the next free one (rest.port=8081-8099)" },
];

/** Flink's names for some of the options, and its long ones with one dash. */
export const flinkOptions: Readonly<Record<string, string>> = {
  "-cm": "--claim-mode", "-claimMode": "--claim-mode", "--claimMode": "--claim-mode", "-rm": "--claim-mode", "-restoreMode": "--claim-mode", "--restoreMode": "--claim-mode",
  "--fromSavepoint": "--from-savepoint", "--allowNonRestoredState": "--allow-non-restored-state", "-full": "--full", "-drain": "--drain", "-dispose": "--dispose", "-type": "--type",
};
