import { MillraceError } from "@millrace/core";
import { errorName, isTransient } from "../protocol/error-code.js";

/** Something that another try may mend: a connection that broke, a leader that moved, a broker that starts. */
export class TransientKafkaError extends Error {
  override readonly name = "TransientKafkaError";
}

/** The error of an answer with `code`: one that passes, or the one to show. @param what the call and what it was about */
export function answerError(code: number, what: string, detail?: string | null): Error {
  const name = errorName(code);
  const message = `${what}: Kafka answers ${name}${detail === null || detail === undefined || detail === "" ? "" : ` (${detail})`}`;
  if (isTransient(code)) return new TransientKafkaError(message);
  if (name.endsWith("AUTHORIZATION_FAILED")) {
    return new MillraceError({ code: "KAFKA_AUTHORIZATION_FAILED", message, hint: "grant the right to this client's user, or use another one" });
  }
  return new MillraceError({ code: "KAFKA_REQUEST_FAILED", message, recovery: "restart" });
}

export function unreachable(what: string, cause: unknown): MillraceError {
  return new MillraceError({
    code: "KAFKA_UNREACHABLE", message: `${what}: ${(cause as Error | undefined)?.message ?? "no broker answers"}`, cause, recovery: "restart",
    hint: "check bootstrapServers, and whether the brokers' advertised.listeners can be reached from here",
  });
}
