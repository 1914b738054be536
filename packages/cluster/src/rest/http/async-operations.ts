import { randomBytes } from "node:crypto";
import { RestError } from "./rest-error.js";

interface Operation {
  readonly kind: string;
  readonly subject: string;
  result: { readonly value: unknown } | { readonly error: unknown } | undefined;
  endedMs: number | undefined;
}

const KEPT_MS = 300_000;
const MOST = 10_000;

/** What was triggered by `202 Accepted` and is asked for later by its request id. Results are kept for five minutes. */
export class AsyncOperations {
  readonly #operations = new Map<string, Operation>();

  /** Begins an operation on a subject (a job). A caller may bring its own id, to be able to ask again when the answer was lost: the second call does nothing. */
  start(kind: string, subject: string, run: () => Promise<unknown>, triggerId: string = randomBytes(16).toString("hex")): string {
    this.#forgetOld();
    const key = keyOf(kind, subject, triggerId);
    if (this.#operations.has(key)) return triggerId;
    if (this.#operations.size >= MOST) throw new RestError(503, "Too many operations are in progress.");
    const operation: Operation = { kind, subject, result: undefined, endedMs: undefined };
    this.#operations.set(key, operation);
    const ended = (result: Operation["result"]): void => {
      operation.result = result;
      operation.endedMs = performance.now();
    };
    run().then((value) => ended({ value }), (error: unknown) => ended({ error }));
    return triggerId;
  }

  /** The state of an operation; its result once there is one. @throws 404 */
  find(kind: string, subject: string, triggerId: string): Operation["result"] {
    const operation = this.#operations.get(keyOf(kind, subject, triggerId));
    if (operation === undefined) throw new RestError(404, `There is no ${kind} operation with triggerId=${triggerId}${subject === "" ? "" : ` for job ${subject}`}.`);
    return operation.result;
  }

  #forgetOld(): void {
    const now = performance.now();
    for (const [key, { endedMs }] of this.#operations) if (endedMs !== undefined && now - endedMs > KEPT_MS) this.#operations.delete(key);
  }
}

function keyOf(kind: string, subject: string, triggerId: string): string {
  return `${kind}/${subject}/${triggerId}`;
}
