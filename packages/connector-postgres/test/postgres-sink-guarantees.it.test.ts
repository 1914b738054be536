import { sinkGuaranteesSuite } from "../../connector-jdbc/test/databases/sink-guarantees-suite.js";
import { postgresUnderTest } from "./postgres-under-test.js";

sinkGuaranteesSuite(postgresUnderTest);
