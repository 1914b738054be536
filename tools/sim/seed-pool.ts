import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SeedAnswer, SeedRequest } from "./seed-worker.js";

export interface SeedPoolOptions {
  readonly processes: number;
  /** Of the mutant that the workers run, if they do. */
  readonly mutant?: string;
  /** Called for every seed; the rest is not run once it returns false. */
  readonly onAnswer: (answer: SeedAnswer) => boolean;
}

const WORKER = fileURLToPath(new URL("./seed-worker.ts", import.meta.url));
const MUTATION = new URL("./mutants/register.mjs", import.meta.url).href;
/** A seed that takes longer in real time, on a machine with much else to do, never ends. */
const HANG_MS = 600_000;

/** Runs seeds in processes of their own, each seed in whichever is free. @throws when a worker dies or hangs */
export async function runSeeds(requests: Iterable<SeedRequest>, options: SeedPoolOptions): Promise<void> {
  const queue = requests[Symbol.iterator]();
  let stopped = false;
  const next = (): SeedRequest | undefined => {
    const step = stopped ? undefined : queue.next();
    return step === undefined || step.done === true ? undefined : step.value;
  };
  await Promise.all(Array.from({ length: options.processes }, () => serve(next, options, (goOn) => {
    stopped ||= !goOn;
  })));
}

function serve(next: () => SeedRequest | undefined, options: SeedPoolOptions, answered: (goOn: boolean) => void): Promise<void> {
  const { mutant, onAnswer } = options;
  const mutation = mutant === undefined ? [] : ["--import", MUTATION];
  const worker: ChildProcess = fork(WORKER, [], {
    execArgv: ["--max-semi-space-size=32", "--import", "tsx", ...mutation], env: { ...process.env, ...(mutant === undefined ? {} : { MILLRACE_MUTANT: mutant }) }, serialization: "advanced",
  });
  return new Promise((resolve, reject) => {
    let current: SeedRequest | undefined;
    let hang: NodeJS.Timeout | undefined;
    const goOn = (): void => {
      clearTimeout(hang);
      current = next();
      if (current === undefined) {
        worker.disconnect();
        return;
      }
      hang = setTimeout(() => {
        worker.kill("SIGKILL");
        reject(new Error(`seed ${current!.seed} hangs`));
      }, HANG_MS);
      worker.send(current);
    };
    worker.on("message", (answer: SeedAnswer) => {
      answered(onAnswer(answer));
      goOn();
    });
    worker.on("exit", (code) => {
      clearTimeout(hang);
      if (current === undefined) resolve();
      else reject(new Error(`the process that ran seed ${current.seed} ended with code ${code}`));
    });
    goOn();
  });
}
