import { errors } from "./schema/cluster-answers.js";
import type { Route } from "./http/route.js";

type Json = Readonly<Record<string, unknown>>;

/** The routes as an OpenAPI 3.1 document. */
export function openApi(routes: readonly Route[], version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    const path = `/v1${route.path.replace(/:(\w+)/g, "{$1}")}`;
    (paths[path] ??= {})[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Millrace REST API", version, description: "Apache Flink's JobManager REST API, version 1, as Millrace answers it." },
    paths,
    components: { securitySchemes: { bearer: { type: "http", scheme: "bearer" }, certificate: { type: "mutualTLS" } } },
  };
}

function operation(route: Route): Json {
  const parameters = [
    ...[...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    ...Object.entries(route.query ?? {}).map(([name, description]) => ({ name, in: "query", required: false, description, schema: { type: "string" } })),
  ];
  const content = route.response === undefined ? { "text/plain": { schema: { type: "string" } } } : { "application/json": { schema: route.response.json } };
  const body = route.takesFile === true
    ? { "multipart/form-data": { schema: { type: "object", properties: { jarfile: { type: "string", format: "binary" } } } } }
    : route.body === undefined ? undefined : { "application/json": { schema: route.body.json } };
  return {
    operationId: `${route.method.toLowerCase()}${route.path.replace(/[/:_-]+(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary: route.summary,
    "x-millrace-role": route.role,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: false, content: body } }),
    responses: {
      [String(route.status ?? 200)]: { description: route.empty === true ? "What Flink answers when there is nothing." : "Done.", content },
      default: { description: "An error.", content: { "application/json": { schema: errors.json } } },
    },
  };
}
