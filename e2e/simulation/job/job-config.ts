import type { Random } from "@millrace/env-sim";

type Settings = Readonly<Record<string, unknown>>;

/** The configuration of a job, drawn from a seed: with every kind of checkpoint, scheduler and failover. */
export function randomConfig(random: Random): Settings {
  return {
    ...randomCheckpointing(random), ...randomScheduling(random),
    "pipeline.operator-chaining.enabled": random.chance(0.7), "pipeline.chain-compiler.enabled": random.chance(0.3), "pipeline.max-parallelism": random.pick([4, 16, 128]),
    "pipeline.auto-watermark-interval": random.int(10, 100), ...randomBuffers(random), "execution.buffer-timeout.interval": random.int(0, 40),
    "restart-strategy.type": "fixed-delay", "restart-strategy.fixed-delay.attempts": 1_000_000, "restart-strategy.fixed-delay.delay": random.int(0, 200),
    "task.cancellation.timeout": random.int(300, 3000), "sink.committer.retries": 1000,
    ...randomDebloating(random),
  };
}

/** Some have so little room between their tasks that a slow one soon has the outputs of those before it full. */
function randomBuffers(random: Random): Settings {
  const mostRecords = random.fork("room").chance(0.6) ? 2 : 20;
  return { "taskmanager.network.batch-size": 1 + (random.int(0, 19) % mostRecords), "taskmanager.network.memory.buffers-per-channel": random.int(1, 4) };
}

/** Of every two jobs one has its buffers debloated: down to single records, and up again. */
function randomDebloating(random: Random): Settings {
  if (!random.chance(0.5)) return {};
  const prefix = "taskmanager.network.memory.buffer-debloat";
  return {
    [`${prefix}.enabled`]: true, [`${prefix}.target`]: random.int(1, 30), [`${prefix}.period`]: random.int(3, 40), [`${prefix}.samples`]: random.int(1, 4),
    [`${prefix}.threshold-percentages`]: random.int(0, 50), "taskmanager.memory.min-segment-size": random.int(1, 300),
  };
}

function randomCheckpointing(random: Random): Settings {
  return {
    "execution.checkpointing.interval": random.int(60, 300), "execution.checkpointing.timeout": random.int(800, 4000),
    "execution.checkpointing.min-pause": random.chance(0.3) ? random.int(1, 50) : 0,
    "execution.checkpointing.max-concurrent-checkpoints": random.chance(0.4) ? random.int(2, 3) : 1,
    "execution.checkpointing.tolerable-failed-checkpoints": random.chance(0.6) ? 100_000 : random.int(0, 2),
    "execution.checkpointing.num-retained": random.int(1, 3), "execution.checkpointing.incremental": random.chance(0.5),
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION", "execution.checkpointing.dir": "/checkpoints",
    ...(random.chance(0.45) ? { "execution.checkpointing.unaligned.enabled": true, "execution.checkpointing.aligned-checkpoint-timeout": random.chance(0.5) ? 0 : random.int(5, 200) } : {}),
  };
}

/** Adaptive jobs change their parallelism while they run; of the others some restart by region. */
function randomScheduling(random: Random): Settings {
  if (!random.chance(0.35)) return random.chance(0.5) ? { "jobmanager.execution.failover-strategy": "region" } : {};
  const prefix = "jobmanager.adaptive-scheduler";
  return {
    "jobmanager.scheduler": "adaptive", "scheduler-mode": random.chance(0.3) ? "reactive" : "none",
    [`${prefix}.submission.resource-wait-timeout`]: 1_000_000_000, [`${prefix}.submission.resource-stabilization-timeout`]: random.int(0, 300),
    [`${prefix}.executing.cooldown-after-rescaling`]: random.int(0, 400), [`${prefix}.executing.resource-stabilization-timeout`]: random.int(0, 200),
    [`${prefix}.rescale-trigger.active-checkpoint.enabled`]: random.chance(0.7), [`${prefix}.rescale-trigger.max-delay`]: random.int(0, 1000),
  };
}
