import { StatementTimeout } from "@millrace/connector-jdbc";
import type { JdbcFailure, JdbcFailureKind } from "@millrace/connector-jdbc";

const BROKEN = /ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|terminated|timeout expired|timeout exceeded|not queryable|was closed/i;
/** Of SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const CONNECTION_STATES = new Set(["57P01", "57P02", "57P03", "57P05", "53300"]);
const TRANSIENT_STATES = new Set(["40001", "40P01", "55P03", "57014"]);

interface PostgresError {
  readonly code?: string;
  readonly message?: string;
  readonly detail?: string;
  readonly errors?: readonly PostgresError[];
}

/** What an error of `pg` means. */
export function postgresFailure(thrown: unknown): JdbcFailure {
  if (thrown instanceof StatementTimeout) return { kind: "timeout", state: "", message: thrown.message };
  const error = (thrown ?? {}) as PostgresError;
  const code = error.code ?? "";
  // Node gathers the failures of several addresses, with no message of its own.
  const text = error.message === undefined || error.message === "" ? (error.errors ?? []).map(({ message }) => message).join("; ") || code || String(thrown) : error.message;
  const message = error.detail === undefined ? text : `${text} (${error.detail})`;
  return { kind: kindOf(code, text), state: /^[0-9A-Z]{5}$/.test(code) ? code : "", message };
}

function kindOf(code: string, message: string): JdbcFailureKind {
  if (!/^[0-9A-Z]{5}$/.test(code) || code === "EPIPE") {
    if (/password must be a string|certificate|SSL/i.test(message) || /CERT|SSL|TLS/.test(code)) return "authentication";
    return BROKEN.test(code) || BROKEN.test(message) ? "connection" : "statement";
  }
  if (code.startsWith("08") || CONNECTION_STATES.has(code)) return "connection";
  if (TRANSIENT_STATES.has(code)) return "transient";
  if (code.startsWith("22") || code.startsWith("23") || code.startsWith("P0") || code === "21000" || code === "44000") return "row";
  if (code.startsWith("28") || code === "3D000") return "authentication";
  return code === "53200" && message.includes("prepared transactions") ? "too-many-prepared" : "statement";
}

/** Whether a statement was ended for `statement_timeout`, and not by somebody. */
export function isStatementTimeout(thrown: unknown): boolean {
  const { code, message = "" } = (thrown ?? {}) as PostgresError;
  return code === "57014" && message.includes("statement timeout");
}
