import { exactlyOnceSuite } from "../../connector-jdbc/test/databases/exactly-once-suite.js";
import { mariadbUnderTest } from "./mariadb-under-test.js";

exactlyOnceSuite(mariadbUnderTest);
