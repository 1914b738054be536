export * from "./rest-server.js";
export * from "./gateway/rest-gateway.js";
export * from "./gateway/embedded-gateway.js";
export * from "./gateway/job-summary.js";
export * from "./routes/all-routes.js";
export * from "./openapi.js";
export { misfits } from "./schema/schema.js";
export type { Route } from "./http/route.js";
export { masked } from "./routes/masked-config.js";
