import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamExecutionEnvironment } from "@millrace/datastream";
import { exactlyOnceSuite } from "../../connector-jdbc/test/databases/exactly-once-suite.js";
import { expectFailure } from "../../connector-jdbc/test/databases/failures.js";
import { PostgresServer } from "../../../tools/services/postgres/postgres-server.js";
import { JdbcSink, postgresDialect } from "../src/index.js";
import { postgresUnderTest } from "./postgres-under-test.js";

exactlyOnceSuite(postgresUnderTest);

test("a server without prepared transactions is refused at the start, one with too few, too", { skip: postgresUnderTest.skip }, async () => {
  for (const [maximum, code] of [["0", "JDBC_TWO_PHASE_DISABLED"], ["1", "JDBC_TOO_MANY_PREPARED"]] as const) {
    const small = await PostgresServer.start({ settings: { max_prepared_transactions: maximum } });
    try {
      const env = StreamExecutionEnvironment.getExecutionEnvironment({ "restart-strategy.type": "none" });
      env.setParallelism(2);
      env.fromSequence(0, 9).sinkTo(JdbcSink.of<number>({
        connection: { dialect: postgresDialect, url: small.url }, table: "pg_catalog.pg_class", columns: { oid: (id) => id }, deliveryGuarantee: "exactly-once", exactlyOnce: { transactionIdPrefix: "small" },
      }));
      assert.match((await expectFailure(env.execute(), code)).hint ?? "", /max_prepared_transactions/);
    } finally {
      await small.remove();
    }
  }
});
