import type { Route } from "../http/route.js";
import { applicationRoutes } from "./application-routes.js";
import { checkpointRoutes } from "./checkpoint-routes.js";
import { clusterRoutes } from "./cluster-routes.js";
import { flameGraphRoutes } from "./flame-graph-routes.js";
import { jarRoutes } from "./jar-routes.js";
import { jobRoutes } from "./job-routes.js";
import { metricRoutes } from "./metric-routes.js";
import { operationRoutes } from "./operation-routes.js";
import { profilerRoutes } from "./profiler-routes.js";
import { rescaleRoutes } from "./rescale-routes.js";
import { vertexRoutes } from "./vertex-routes.js";

/** Every route of the API: what is served, documented and tested. */
export const allRoutes: readonly Route[] = [...clusterRoutes, ...jobRoutes, ...vertexRoutes, ...flameGraphRoutes, ...checkpointRoutes, ...rescaleRoutes, ...metricRoutes, ...operationRoutes, ...jarRoutes, ...profilerRoutes, ...applicationRoutes];
