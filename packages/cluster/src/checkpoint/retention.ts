import { CHECKPOINTING_RETENTION, type Configuration } from "@millrace/core";

/** Whether a job that ends like this keeps its checkpoints. Flink's retention: a finished job keeps none. */
export function isRetained(config: Configuration, status: "FINISHED" | "CANCELED" | "FAILED", hasOwn: boolean): boolean {
  if (!hasOwn || status === "FINISHED") return false;
  const retention = config.get(CHECKPOINTING_RETENTION);
  return retention === "RETAIN_ON_CANCELLATION" || (retention === "DELETE_ON_CANCELLATION" && status === "FAILED");
}
