import type { SampledThread } from "../inspection/process-inspection.js";
import type { RestGateway } from "./gateway/rest-gateway.js";

export interface FlameGraphSettings {
  /** `rest.flamegraph.enabled` */
  readonly enabled: boolean;
  readonly samples: number;
  readonly delayMs: number;
  readonly depth: number;
  /** Samples older than this are taken anew when somebody asks. */
  readonly refreshIntervalMs: number;
  /** Samples that nobody has asked for in this time are forgotten. */
  readonly cleanupIntervalMs: number;
}

export interface JobSamples {
  readonly endedMs: number;
  readonly threads: readonly SampledThread[];
}

interface Kept {
  samples: JobSamples | undefined;
  running: boolean;
  askedMs: number;
}

/** The samples of jobs whose flame graphs are looked at. They are taken for all vertices of a job at once, and only while somebody asks. Flink: VertexThreadInfoTracker. */
export class FlameGraphs {
  readonly settings: FlameGraphSettings;
  readonly #gateway: RestGateway;
  readonly #jobs = new Map<string, Kept>();

  constructor(gateway: RestGateway, settings: FlameGraphSettings) {
    this.#gateway = gateway;
    this.settings = settings;
  }

  /** The last samples of a job; new ones are on their way when these are old. `undefined`: there are none yet. */
  of(jobId: string): JobSamples | undefined {
    const now = Date.now();
    for (const [id, { askedMs, running }] of this.#jobs) if (!running && now - askedMs > this.settings.cleanupIntervalMs) this.#jobs.delete(id);
    let kept = this.#jobs.get(jobId);
    if (kept === undefined) this.#jobs.set(jobId, (kept = { samples: undefined, running: false, askedMs: now }));
    kept.askedMs = now;
    if (!kept.running && now - (kept.samples?.endedMs ?? Number.NEGATIVE_INFINITY) > this.settings.refreshIntervalMs) void this.#take(jobId, kept);
    return kept.samples;
  }

  async #take(jobId: string, kept: Kept): Promise<void> {
    kept.running = true;
    const { samples, delayMs, depth } = this.settings;
    try {
      kept.samples = { threads: await this.#gateway.sampleStacks({ jobId, samples, delayMs, depth }), endedMs: Date.now() };
    } catch {
      // The next one who asks tries again.
    } finally {
      kept.running = false;
    }
  }
}
