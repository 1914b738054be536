import { configOption, type ConfigOption } from "./config-option.js";

/** Whether receivers tell senders how large buffers should be, so that what is on the way can be processed in about a given time. */
export const BUFFER_DEBLOAT_ENABLED: ConfigOption<boolean> = configOption.boolean(
  "taskmanager.network.memory.buffer-debloat.enabled", false, "Whether buffers become smaller where a task is slow, so that what waits before it can be processed in about the target time.");
export const BUFFER_DEBLOAT_TARGET: ConfigOption<number> = configOption.duration(
  "taskmanager.network.memory.buffer-debloat.target", 1000, "How long a task should take for all that waits before it.");
export const BUFFER_DEBLOAT_PERIOD: ConfigOption<number> = configOption.duration(
  "taskmanager.network.memory.buffer-debloat.period", 200, "How often a task's throughput is measured and its buffer size calculated anew.");
export const BUFFER_DEBLOAT_SAMPLES: ConfigOption<number> = configOption.positiveInteger(
  "taskmanager.network.memory.buffer-debloat.samples", 20, "Over how many periods the buffer size is smoothed; more are steadier and slower.");
export const BUFFER_DEBLOAT_THRESHOLD: ConfigOption<number> = configOption.integer(
  "taskmanager.network.memory.buffer-debloat.threshold-percentages", 25, "By how many percent the buffer size must have changed for the senders to be told.");
export const MIN_SEGMENT_SIZE: ConfigOption<number> = configOption.memorySize(
  "taskmanager.memory.min-segment-size", 256, "The least size to which buffer debloating reduces a buffer. A larger record goes in a buffer of its own.");

export const debloatOptions: readonly ConfigOption<any>[] = [
  BUFFER_DEBLOAT_ENABLED, BUFFER_DEBLOAT_TARGET, BUFFER_DEBLOAT_PERIOD, BUFFER_DEBLOAT_SAMPLES, BUFFER_DEBLOAT_THRESHOLD, MIN_SEGMENT_SIZE,
];
