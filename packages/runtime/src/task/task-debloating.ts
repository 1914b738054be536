import {
  BUFFER_DEBLOAT_ENABLED, BUFFER_DEBLOAT_PERIOD, BUFFER_DEBLOAT_SAMPLES, BUFFER_DEBLOAT_TARGET, BUFFER_DEBLOAT_THRESHOLD, MIN_SEGMENT_SIZE, type Configuration,
} from "@millrace/core";
import type { DebloatingSettings } from "../input/buffer-debloater.js";
import type { MetricRegistry } from "../metrics/metric-registry.js";
import { ChannelInput } from "./channel-input.js";
import type { TaskInput } from "./task-input.js";

/** What the configuration says of buffer debloating; `undefined` when it is off. */
export function debloatingSettings(config: Configuration): DebloatingSettings | undefined {
  if (!config.get(BUFFER_DEBLOAT_ENABLED)) return undefined;
  return {
    targetMs: config.get(BUFFER_DEBLOAT_TARGET), periodMs: config.get(BUFFER_DEBLOAT_PERIOD), samples: config.get(BUFFER_DEBLOAT_SAMPLES),
    thresholdPercent: config.get(BUFFER_DEBLOAT_THRESHOLD), smallestBytes: Math.max(1, config.get(MIN_SEGMENT_SIZE)),
  };
}

/** Shows, as metrics of the task, what its input is told to have before it. */
export function observeDebloating(input: TaskInput, metrics: MetricRegistry): void {
  const debloating = input instanceof ChannelInput ? input.debloating : undefined;
  if (debloating === undefined) return;
  metrics.group().gauge("debloatedBufferSize", () => debloating.bufferSize);
  metrics.group().gauge("estimatedTimeToConsumeBuffersMs", () => debloating.estimatedTimeMs);
}
