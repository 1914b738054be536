import { drawScenario, runScenario, type RunOutcome } from "../../e2e/simulation/run-seed.js";

/** What a worker process is asked, and answers. */
export interface SeedRequest {
  readonly seed: number;
  readonly withFaults: boolean;
}
export interface SeedAnswer {
  readonly request: SeedRequest;
  readonly outcome: RunOutcome;
}

// A worker process: runs the seeds it is sent, one after the other.
process.on("message", (request: SeedRequest) => void answer(request));
// Nobody is left to answer.
process.on("disconnect", () => process.exit());

async function answer(request: SeedRequest): Promise<void> {
  const { seed, withFaults } = request;
  const scenario = drawScenario(seed);
  const outcome = await runScenario(withFaults ? scenario : { ...scenario, faults: [] });
  process.send!({ request, outcome } satisfies SeedAnswer);
}
