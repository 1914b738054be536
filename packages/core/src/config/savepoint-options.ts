import { didYouMean } from "../errors/nearest.js";
import { MillraceError } from "../errors/millrace-error.js";
import { configOption, type ConfigOption } from "./config-option.js";

/** Who owns the checkpoint or savepoint that a job starts from. */
export type ClaimMode = "NO_CLAIM" | "CLAIM";

const claimModes: readonly ClaimMode[] = ["NO_CLAIM", "CLAIM"];

function parseClaimMode(raw: unknown): ClaimMode {
  const text = typeof raw === "string" ? raw.trim().toUpperCase().replaceAll("-", "_") : "";
  const found = claimModes.find((mode) => mode === text);
  if (found !== undefined) return found;
  const hint = text === "LEGACY"
    ? "LEGACY left open who deletes the files, so Millrace, as Flink since 2.0, does not have it: NO_CLAIM leaves them to you, CLAIM gives them to the job"
    : didYouMean(text, claimModes);
  throw new MillraceError({ code: "CONFIG_BAD_VALUE", message: "one of NO_CLAIM, CLAIM", ...(hint === "" ? {} : { hint }) });
}

export const CLAIM_MODE: ConfigOption<ClaimMode> = {
  key: "execution.state-recovery.claim-mode", defaultValue: "NO_CLAIM", kind: "NO_CLAIM | CLAIM", deprecatedKeys: ["execution.savepoint-restore-mode"],
  description: "Who owns the files that the job starts from: you (NO_CLAIM: the job never deletes them and soon does not need them), or the job (CLAIM: it deletes them when newer checkpoints have replaced them).",
  parse: parseClaimMode,
};
export const SAVEPOINT_DIRECTORY: ConfigOption<string | undefined> = {
  ...configOption.optionalString("execution.checkpointing.savepoint-dir", undefined, "Directory for savepoints that name none."),
  deprecatedKeys: ["state.savepoints.dir"],
};
export const SAVEPOINT_PATH: ConfigOption<string | undefined> = {
  ...configOption.optionalString("execution.state-recovery.path", undefined, "Directory of the savepoint or checkpoint to start from."),
  deprecatedKeys: ["execution.savepoint.path"],
};
export const IGNORE_UNCLAIMED_STATE: ConfigOption<boolean> = {
  ...configOption.boolean("execution.state-recovery.ignore-unclaimed-state", false, "Whether state of operators that the job no longer has is dropped instead of refused."),
  deprecatedKeys: ["execution.savepoint.ignore-unclaimed-state"],
};
export const CHECKPOINTING_MAX_CONCURRENT: ConfigOption<number> = configOption.positiveInteger(
  "execution.checkpointing.max-concurrent-checkpoints", 1, "The most checkpoints in progress at a time; with a min-pause it is 1. Savepoints are not counted.");
export const CHECKPOINTING_INTERVAL_DURING_BACKLOG: ConfigOption<number | undefined> = configOption.optionalDuration(
  "execution.checkpointing.interval-during-backlog", undefined,
  "Time between checkpoints while a source says that it reads a backlog; 0 takes none then. Not set means the usual interval.");

export const savepointOptions: readonly ConfigOption<any>[] = [
  CLAIM_MODE, SAVEPOINT_DIRECTORY, SAVEPOINT_PATH, IGNORE_UNCLAIMED_STATE, CHECKPOINTING_MAX_CONCURRENT, CHECKPOINTING_INTERVAL_DURING_BACKLOG,
];
