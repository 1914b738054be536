export * from "@millrace/connector-jdbc";
export { postgresDialect } from "./postgres-dialect.js";
