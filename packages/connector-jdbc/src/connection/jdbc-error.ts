import { MillraceError, isMillraceError } from "@millrace/core";
import type { JdbcFailure } from "../dialect/jdbc-dialect.js";
import type { JdbcConnectionSettings } from "./jdbc-connection-options.js";

/** What a failure means; `undefined` for errors that say it themselves. */
export function failureOf({ dialect }: JdbcConnectionSettings, error: unknown): JdbcFailure | undefined {
  return isMillraceError(error) ? undefined : dialect.failureOf(error);
}

/** The error to show for what a client library threw. @param what the call and what it was about */
export function jdbcError(settings: JdbcConnectionSettings, what: string, error: unknown): MillraceError {
  if (isMillraceError(error)) return error;
  const { kind, state, message } = settings.dialect.failureOf(error);
  const text = `${what}: ${settings.dialect.name} at ${settings.place} answers ${state === "" ? "" : `${state}: `}${message}`;
  switch (kind) {
    case "connection":
      return new MillraceError({
        code: "JDBC_UNREACHABLE", message: `${what}: ${settings.place} cannot be reached: ${message}`, cause: error, recovery: "restart",
        hint: "check connection.url, and whether the server runs and takes connections from here; connectionWaitMs says how long it is waited for",
      });
    case "authentication":
      return new MillraceError({ code: "JDBC_AUTHENTICATION_FAILED", message: text, cause: error, hint: "check connection.username, connection.password, connection.tls and the database's name" });
    case "too-many-prepared":
      return new MillraceError({ code: "JDBC_TOO_MANY_PREPARED", message: text, cause: error, recovery: "restart", hint: settings.dialect.twoPhaseHint });
    case "row":
      return new MillraceError({ code: "JDBC_ROW_REFUSED", message: text, cause: error, hint: "correct the row or the table; no retry mends it" });
    case "transient":
      return new MillraceError({ code: "JDBC_WRITE_FAILED", message: text, cause: error, recovery: "restart", hint: "others hold what this transaction needs; raise execution.maxRetries if it is often so" });
    case "timeout":
      return new MillraceError({
        code: "JDBC_STATEMENT_TIMEOUT", message: `${what}: ${settings.dialect.name} at ${settings.place} gives ${message}`, cause: error, recovery: "restart",
        hint: "see what the statement waits for (locks, a missing index, a link that is silent), or raise connection.statementTimeoutMs",
      });
    case "statement":
      return new MillraceError({ code: "JDBC_STATEMENT_FAILED", message: text, cause: error, hint: "see the database's documentation for its error" });
  }
}
