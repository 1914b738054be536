import { MillraceError, deserializeError, serializeError } from "@millrace/core";
import type { JobClient, JobGraph } from "@millrace/graph";
import { endPrestarted, threadOf, type PrestartedProgram } from "./prestarted-program.js";
import type { ProgramCommand, ProgramMessage, ProgramStart } from "./program-protocol.js";
import { ProgramThread } from "./program-thread.js";

export interface ProgramInit extends ProgramStart {
  /** How long the program may take to call `execute()`. */
  readonly planningTimeoutMs: number;
  /** What the worker thread starts with; default this package's own. Must share its library with the artifact. */
  readonly entryUrl?: string | undefined;
  /** A thread that was started before; used if it shares its library with the artifact, ended otherwise. */
  readonly prestarted?: PrestartedProgram | undefined;
}

export const programEntryUrl: string = new URL("./program-entry.js", import.meta.url).href;

/**
 * A job's program, running in a worker thread of its own: first it plans, then, once {@link attach} gave it the running job, it goes on as that
 * job's client.
 */
export class JobProgram {
  /**
   * The plan. Rejects with what the program threw, `JOB_NOT_DEFINED` when it ended without calling `execute()`, or `JOB_PLANNING_TIMEOUT`.
   */
  readonly plan: Promise<JobGraph>;
  /** What the user should hear about the plan, once it is there. */
  warnings: readonly string[] = [];
  /** Resolves when the program has ended by itself; rejects when it threw after it was attached. */
  readonly ended: Promise<void>;
  readonly #thread: ProgramThread;
  #client: JobClient | undefined;

  constructor(init: ProgramInit) {
    const { planningTimeoutMs, entryUrl = programEntryUrl, prestarted, ...start } = init;
    const waiting = threadOf(prestarted) as ProgramThread | undefined;
    const fits = prestarted?.entryUrl === entryUrl;
    if (!fits) endPrestarted(prestarted);
    const thread = (fits ? waiting : undefined) ?? new ProgramThread(entryUrl, start);
    const { worker } = thread;
    if (thread === waiting) {
      worker.ref();
      worker.postMessage(start satisfies ProgramStart);
    }
    this.#thread = thread;
    let planned = false;
    let failure: Error | undefined;
    this.ended = new Promise((resolve, reject) => {
      worker.once("exit", () => (failure === undefined ? resolve() : reject(failure)));
    });
    this.ended.catch(() => undefined);
    this.plan = new Promise((resolve, reject) => {
      const timeout = setTimeout(() => {
        reject(tooSlow(init.source, planningTimeoutMs));
        void thread.terminate();
      }, planningTimeoutMs);
      const fail = (error: Error): void => {
        clearTimeout(timeout);
        failure = error;
        reject(error);
      };
      worker.on("message", (message: ProgramMessage) => {
        if (message.type === "plan") {
          clearTimeout(timeout);
          planned = true;
          this.warnings = message.warnings;
          resolve(message.jobGraph);
        } else if (message.type === "call") {
          void this.#answer(message);
        } else {
          fail(deserializeError(message.error));
          void thread.terminate();
        }
      });
      worker.once("error", fail);
      worker.once("exit", () => {
        if (!planned && failure === undefined) fail(neverExecutes(init.source));
      });
    });
  }

  /** Lets the program's `execute()` go on with the job it defined. */
  attach(client: JobClient): void {
    this.#client = client;
    this.#send({ type: "submitted" });
  }

  /** Results for the program's collectors. */
  collected(collectId: string, subtaskIndex: number, batch: ArrayBuffer): void {
    this.#send({ type: "collected", collectId, subtaskIndex, batch }, [batch]);
  }

  terminate(): Promise<void> {
    return this.#thread.terminate();
  }

  async #answer({ callId, method, args }: Extract<ProgramMessage, { type: "call" }>): Promise<void> {
    try {
      const client = this.#client as unknown as Readonly<Record<typeof method, (...args: readonly unknown[]) => Promise<unknown>>>;
      this.#send({ type: "reply", callId, value: await client[method](...args) });
    } catch (error) {
      this.#send({ type: "reply", callId, error: serializeError(error) });
    }
  }

  #send(command: ProgramCommand, transfer: ArrayBuffer[] = []): void {
    this.#thread.worker.postMessage(command, transfer);
  }
}

/** `JOB_NOT_DEFINED` */
export function neverExecutes(source: string): MillraceError {
  return new MillraceError({
    code: "JOB_NOT_DEFINED", message: `"${source}" ended without calling execute()`,
    hint: "end the job with await env.execute(), or export a default function that builds it: export default (env) => { … }",
    location: { file: source },
  });
}

function tooSlow(source: string, timeoutMs: number): MillraceError {
  return new MillraceError({
    code: "JOB_PLANNING_TIMEOUT", message: `"${source}" did not call execute() within ${timeoutMs / 1000} s`,
    hint: "work that takes long belongs into functions of the job, not before execute()", location: { file: source },
  });
}
