import { isMillraceError, type Env } from "@millrace/core";

const FIRST_RETRY_MS = 100;
const MAX_RETRY_MS = 2000;

/** Errors of a store or disk that is out of reach: they pass. */
export function isPassing(error: unknown): boolean {
  return !isMillraceError(error) || error.code === "HA_UNAVAILABLE" || error.recovery === "retry";
}

/**
 * One leadership of this process, under its fencing token. What was begun under it does not go on after its end, however late a continuation runs:
 * {@link persist} then never resolves.
 */
export class LeaderTerm {
  readonly fencingToken: number;
  readonly #env: Pick<Env, "clock" | "log">;
  #over = false;

  constructor(env: Pick<Env, "clock" | "log">, fencingToken: number) {
    this.#env = env;
    this.fencingToken = fencingToken;
  }

  get over(): boolean {
    return this.#over;
  }

  end(): void {
    this.#over = true;
  }

  /**
   * Does what must be done before the leader may go on: again and again while the store is out of reach, since whether it was done is not known. Work
   * must be such that it may be repeated. Never settles when the leadership is lost.
   * @param what names it in the log
   * @throws what `work` throws and `passes` does not say will pass
   */
  async persist<T>(what: string, work: () => Promise<T>, passes: (error: unknown) => boolean = isPassing): Promise<T> {
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, MAX_RETRY_MS)) {
      try {
        const done = await work();
        return this.#over ? await never() : done;
      } catch (error) {
        if (this.#over || (isMillraceError(error) && error.code === "LEADERSHIP_LOST")) return await never();
        if (!passes(error)) throw error;
        this.#env.log.write("warn", `${what} has to wait: ${(error as Error).message}`);
        await new Promise<void>((resolve) => this.#env.clock.setTimer(retryMs, resolve));
        if (this.#over) return await never();
      }
    }
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}
