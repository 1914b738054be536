import { RestError } from "../http/rest-error.js";
import { route, type RestRequest, type Route } from "../http/route.js";
import type { JobSummary } from "../gateway/rest-gateway.js";
import { applicationDetails, applicationExceptions, applications, configuration } from "../schema/cluster-answers.js";
import { nothing } from "../schema/schema.js";
import { rootName, stackTrace } from "../gateway/stack-trace.js";
import { cancel, overviewOf } from "./job-routes.js";
import { masked } from "./masked-config.js";

const viewer = { method: "GET", role: "viewer" } as const;

/** Flink's applications (2.3): here each job is one of its own, under the job's id. */
export const applicationRoutes: readonly Route[] = [
  route({
    ...viewer, path: "/applications/overview", summary: "Applications: each job is one of its own.", response: applications,
    handle: async ({ gateway }) => ({ applications: (await gateway.listJobs()).map((job) => ({ ...fieldsOf(job), jobs: { [job.status]: 1 } })) }),
  }),
  route({
    ...viewer, path: "/applications/:applicationid", summary: "One application with its job.", response: applicationDetails,
    handle: async (request) => {
      const job = await find(request);
      const { statusTimestamps } = await request.gateway.job(job.jobId);
      return { ...fieldsOf(job), timestamps: Object.fromEntries(Object.entries(statusTimestamps)), jobs: [overviewOf(job)] };
    },
  }),
  route({
    method: "POST", path: "/applications/:applicationid/cancel", summary: "Cancels an application's job.", role: "operator", status: 202, response: nothing,
    handle: (request) => cancel({ ...request, params: { jobid: request.params["applicationid"]! } }),
  }),
  route({
    ...viewer, path: "/applications/:applicationid/exceptions", summary: "The failures of an application's job.", response: applicationExceptions,
    query: { maxExceptions: "accepted: all that are kept are shown" },
    handle: async ({ gateway, params }) => {
      const jobId = params["applicationid"]!;
      const { exceptions } = await gateway.job(jobId);
      return {
        exceptionHistory: {
          entries: [...exceptions].reverse().map(({ error, timestampMs }) => ({ exceptionName: rootName(error), stacktrace: stackTrace(error), timestamp: timestampMs, jobId })),
        },
      };
    },
  }),
  route({
    ...viewer, path: "/applications/:applicationid/jobmanager/config", summary: "The configuration of the JobManager; secrets are masked.", response: configuration,
    handle: async (request) => {
      await find(request);
      return Object.entries(masked((await request.gateway.jobManager()).config)).map(([key, value]) => ({ key, value }));
    },
  }),
];

async function find({ gateway, params }: RestRequest<unknown>): Promise<JobSummary> {
  const job = (await gateway.listJobs()).find(({ jobId }) => jobId === params["applicationid"]);
  if (job === undefined) throw new RestError(404, `Application ${params["applicationid"]} not found`);
  return job;
}

function fieldsOf({ jobId, name, startedMs, endedMs, status }: JobSummary): { readonly id: string; readonly name: string; readonly "start-time": number; readonly "end-time": number; readonly duration: number; readonly status: string } {
  return { id: jobId, name: `SingleJobApplication(${name})`, "start-time": startedMs, "end-time": endedMs ?? -1, duration: (endedMs ?? Date.now()) - startedMs, status };
}
