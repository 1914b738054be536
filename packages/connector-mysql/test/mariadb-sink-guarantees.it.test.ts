import { sinkGuaranteesSuite } from "../../connector-jdbc/test/databases/sink-guarantees-suite.js";
import { mariadbUnderTest } from "./mariadb-under-test.js";

sinkGuaranteesSuite(mariadbUnderTest);
