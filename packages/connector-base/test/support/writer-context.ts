import { allOptions, Configuration, type Counter, type Gauge, type MetricGroup, type SinkWriterContext } from "@millrace/core";
import { MemoryFileSystem, VirtualClock } from "@millrace/testkit";

/** A writer's context on a clock that the test moves. Timers that throw are kept in `failures`, as they would fail the task. */
export class TestContext {
  readonly clock = new VirtualClock(1_700_000_000_000);
  readonly metrics = new Map<string, Counter | Gauge>();
  readonly logLines: string[] = [];
  readonly failures: unknown[] = [];
  readonly context: SinkWriterContext;

  constructor(config: Readonly<Record<string, unknown>> = {}) {
    const group = {
      counter: (name: string): Counter => {
        let count = 0;
        const counter = { inc: (by = 1) => void (count += by), dec: (by = 1) => void (count -= by), get count() { return count; } };
        this.metrics.set(name, counter);
        return counter;
      },
      gauge: <T>(name: string, read: () => T): Gauge<T> => {
        const gauge = { get value() { return read(); } };
        this.metrics.set(name, gauge);
        return gauge;
      },
    };
    this.context = {
      jobId: "0".repeat(32), operatorId: "1".repeat(32), subtaskIndex: 0, parallelism: 1, attemptNumber: 0, restoredCheckpointId: undefined, clock: this.clock, fs: new MemoryFileSystem(),
      config: Configuration.of(config, allOptions), metrics: group as unknown as MetricGroup, random: () => 0.5, log: (level, line) => void this.logLines.push(`${level} ${line}`),
      registerTimer: (delayMs, action) => this.clock.setTimer(delayMs, () => {
        try {
          void action();
        } catch (error) {
          this.failures.push(error);
        }
      }),
    };
  }

  count(name: string): number {
    return (this.metrics.get(name) as Counter).count;
  }

  /** Lets time pass, and everything that waits for promises happen at each step. */
  async pass(durationMs: number): Promise<void> {
    const untilMs = this.clock.nowMs() + durationMs;
    do await new Promise((resolve) => setImmediate(resolve));
    while (this.clock.fireNext(untilMs));
    this.clock.moveTo(untilMs);
  }
}
