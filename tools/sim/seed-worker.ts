import { drawScenario, runScenario, type RunOutcome } from "../../e2e/simulation/run-seed.js";

/** What a worker process is asked, and answers. */
export interface SeedRequest {
  readonly seed: number;
  readonly withFaults: boolean;
}
export interface SeedAnswer {
  readonly seed: number;
  readonly outcome: RunOutcome;
}

// A worker process: runs the seeds it is sent, one after the other.
process.on("message", (request: SeedRequest) => void answer(request));

async function answer({ seed, withFaults }: SeedRequest): Promise<void> {
  const scenario = drawScenario(seed);
  const outcome = await runScenario(withFaults ? scenario : { ...scenario, faults: [] });
  process.send!({ seed, outcome } satisfies SeedAnswer);
}
