export * from "@millrace/connector-jdbc";
export { mysqlDialect } from "./mysql-dialect.js";
