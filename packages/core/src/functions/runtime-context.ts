import type { MetricGroup } from "../metrics/metrics.js";
import type { KeyedStateStore } from "../state/keyed-state-store.js";
import type { Accumulator } from "./accumulators.js";

/** What a rich function can ask of the task it runs in. State is only accessible on keyed streams (`STATE_NOT_KEYED` elsewhere). */
export interface RuntimeContext extends KeyedStateStore {
  readonly jobId: string;
  readonly jobName: string;
  readonly taskName: string;
  readonly operatorName: string;
  /** Zero-based. */
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
  /** 0 at the first attempt, one more after each restart. */
  readonly attemptNumber: number;
  readonly metrics: MetricGroup;
  readonly jobParameters: Readonly<Record<string, string>>;
  /** Registers an accumulator; the job result holds the merged value under `name`. `ACCUMULATOR_EXISTS` for another one of that name. */
  addAccumulator<A extends Accumulator<any, any>>(name: string, accumulator: A): A;
  /** Absolute path of a file registered with `env.registerCachedFile(path, name)`; `CACHED_FILE_UNKNOWN` otherwise. */
  cachedFile(name: string): string;
  /** Random numbers from the environment (seeded in simulation). */
  random(): number;
}
