import { StatementTimeout } from "@millrace/connector-jdbc";
import type { JdbcFailure, JdbcFailureKind } from "@millrace/connector-jdbc";

const BROKEN = /ECONN|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|PROTOCOL_CONNECTION_LOST|PROTOCOL_SEQUENCE_TIMEOUT|closed state|connection is closed|socket has been ended/i;
/** https://mariadb.com/kb/en/mariadb-error-code-reference/ */
const CONNECTION_ERRORS = new Set([1040, 1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1927, 2002, 2003, 2006, 2013]);
const TRANSIENT_ERRORS = new Set([1020, 1205, 1213, 1317, 1613, 1614]);
const AUTHENTICATION_ERRORS = new Set([1044, 1045, 1049, 1130, 1698]);
const ROW_ERRORS = new Set([1048, 1062, 1136, 1169, 1264, 1265, 1292, 1364, 1366, 1367, 1406, 1411, 1451, 1452, 1690, 1644, 3140, 3819, 4025]);

interface MysqlError {
  readonly code?: string;
  readonly errno?: number;
  readonly sqlState?: string;
  readonly sqlMessage?: string;
  readonly message?: string;
  readonly errors?: readonly MysqlError[];
}

/** What an error of `mysql2` means. */
export function mysqlFailure(thrown: unknown): JdbcFailure {
  if (thrown instanceof StatementTimeout) return { kind: "timeout", state: "", message: thrown.message };
  const error = (thrown ?? {}) as MysqlError;
  const text = error.sqlMessage ?? (error.message === undefined || error.message === "" ? (error.errors ?? []).map(({ message }) => message).join("; ") || error.code || String(thrown) : error.message);
  const errno = error.errno !== undefined && error.errno > 0 ? error.errno : undefined;
  return { kind: kindOf(error, errno, text), state: errno === undefined ? "" : String(errno), message: text };
}

function kindOf({ code = "", sqlState = "" }: MysqlError, errno: number | undefined, message: string): JdbcFailureKind {
  if (errno === undefined && (/certificate/i.test(message) || /CERT|SSL|TLS/.test(code))) return "authentication";
  if (errno === undefined) return BROKEN.test(code) || BROKEN.test(message) ? "connection" : "statement";
  if (CONNECTION_ERRORS.has(errno)) return "connection";
  if (TRANSIENT_ERRORS.has(errno)) return "transient";
  if (AUTHENTICATION_ERRORS.has(errno)) return "authentication";
  return ROW_ERRORS.has(errno) || sqlState.startsWith("22") || sqlState.startsWith("23") ? "row" : "statement";
}

/** MariaDB's `max_statement_time`, MySQL's `max_execution_time`. */
const TIMEOUT_ERRORS = new Set([1969, 3024]);

/** Whether the server ended a statement that took too long. */
export function isStatementTimeout(thrown: unknown): boolean {
  return TIMEOUT_ERRORS.has(((thrown ?? {}) as MysqlError).errno ?? 0);
}
