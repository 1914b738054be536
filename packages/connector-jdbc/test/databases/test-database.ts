import type { TcpProxy } from "../../../../tools/services/proxy/tcp-proxy.js";
import type { JdbcConnectionOptions, JdbcDialect } from "../../src/index.js";

/** How a dialect's tests come to a server, for the suites of this folder. */
export interface DatabaseUnderTest {
  readonly dialect: JdbcDialect;
  /** Why there is none here; `false` when there is. */
  readonly skip: string | false;
  /** What messages of the protocol of exactly-once hold: of a prepare, of a commit, of rows that are written to a table `at_…`. */
  readonly marks: { readonly prepare: string; readonly commit: string; readonly write: string };
  /** Makes the table `numbers` of {@link numbersTable}. */
  createNumbers(database: TestDatabase): Promise<unknown>;
  /** A query whose one row takes half a minute. */
  readonly slowQuery: string;
  start(): Promise<TestDatabase>;
}

/** A server of a suite's own, behind a proxy, and what the dialect does not tell of it. */
export interface TestDatabase {
  readonly proxy: TcpProxy;
  /** Through the proxy. */
  readonly connection: JdbcConnectionOptions;
  /** Past the proxy. */
  readonly direct: JdbcConnectionOptions;
  /** Runs statements past the proxy. @returns the rows of a single one */
  sql(text: string): Promise<any[][]>;
  /** The names of all prepared transactions. */
  prepared(): Promise<readonly string[]>;
  /** Leaves a prepared transaction behind. */
  prepare(name: string, statement: string): Promise<unknown>;
  rollBack(name: string): Promise<unknown>;
  /** Ends it as a crash does; its data stays. */
  crash(): Promise<void>;
  /** Starts it again on its data. */
  restart(): Promise<void>;
  remove(): Promise<void>;
}
