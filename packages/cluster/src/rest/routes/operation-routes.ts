import { SAVEPOINT_DIRECTORY } from "@millrace/core";
import { RestError, failureCause } from "../http/rest-error.js";
import { route, type RestRequest, type Route } from "../http/route.js";
import { checkpointTriggerStatus, operationStatus, resourceRequirements, savepointStatus, triggered } from "../schema/cluster-answers.js";
import { boolean, nothing, nullable, object, oneOf, optional, text, anything } from "../schema/schema.js";

const SAVEPOINT = "savepoint";
const CHECKPOINT = "checkpoint";
const DISPOSAL = "savepoint disposal";

const format = optional(nullable(oneOf("CANONICAL", "NATIVE")));
const directory = optional(nullable(text));
const triggerId = optional(nullable(text));

export const operationRoutes: readonly Route[] = [
  route({
    method: "POST", path: "/jobs/:jobid/checkpoints", summary: "Takes a checkpoint now.", role: "operator", status: 202, response: triggered,
    body: object({ checkpointType: optional(nullable(oneOf("CONFIGURED", "FULL", "INCREMENTAL"))), triggerId }),
    handle: async ({ gateway, operations, params, body }) => {
      const jobId = await runningJob(gateway, params["jobid"]!);
      return { "request-id": operations.start(CHECKPOINT, jobId, () => gateway.triggerCheckpoint(jobId, body.checkpointType ?? "CONFIGURED"), trigger(body.triggerId)) };
    },
  }),
  route({
    method: "GET", path: "/jobs/:jobid/checkpoints/:triggerid", summary: "What became of a triggered checkpoint.", role: "viewer", response: checkpointTriggerStatus,
    handle: ({ operations, params }) => {
      const result = operations.find(CHECKPOINT, params["jobid"]!, params["triggerid"]!);
      if (result === undefined) return inProgress;
      return "error" in result ? failed(result.error) : { status: completed, operation: { checkpointId: result.value as number } };
    },
  }),
  route({
    method: "POST", path: "/jobs/:jobid/savepoints", summary: "Takes a savepoint, and cancels the job behind it if wanted.", role: "operator", status: 202, response: triggered,
    body: object({ "target-directory": directory, "cancel-job": optional(nullable(boolean)), formatType: format, triggerId }),
    handle: async ({ gateway, operations, params, body }) => {
      const jobId = await runningJob(gateway, params["jobid"]!);
      const request = { targetDirectory: await target(gateway, jobId, body["target-directory"]), format: body.formatType ?? ("CANONICAL" as const), cancelJob: body["cancel-job"] ?? false };
      return { "request-id": operations.start(SAVEPOINT, jobId, () => gateway.triggerSavepoint(jobId, request), trigger(body.triggerId)) };
    },
  }),
  route({
    method: "POST", path: "/jobs/:jobid/stop", summary: "Stops a job behind a savepoint.", role: "operator", status: 202, response: triggered,
    body: object({ targetDirectory: directory, drain: optional(nullable(boolean)), formatType: format, triggerId }),
    handle: async ({ gateway, operations, params, body }) => {
      const jobId = await runningJob(gateway, params["jobid"]!);
      const request = { targetDirectory: await target(gateway, jobId, body.targetDirectory), format: body.formatType ?? ("CANONICAL" as const), drain: body.drain ?? false };
      return { "request-id": operations.start(SAVEPOINT, jobId, () => gateway.stopWithSavepoint(jobId, request), trigger(body.triggerId)) };
    },
  }),
  route({
    method: "GET", path: "/jobs/:jobid/savepoints/:triggerid", summary: "What became of a triggered savepoint.", role: "viewer", response: savepointStatus,
    handle: ({ operations, params }) => {
      const result = operations.find(SAVEPOINT, params["jobid"]!, params["triggerid"]!);
      if (result === undefined) return inProgress;
      return "error" in result ? failed(result.error) : { status: completed, operation: { location: result.value as string } };
    },
  }),
  route({
    method: "POST", path: "/savepoint-disposal", summary: "Deletes a savepoint.", role: "operator", response: triggered, body: object({ "savepoint-path": text }),
    handle: ({ gateway, operations, body }) => ({ "request-id": operations.start(DISPOSAL, "", () => gateway.disposeSavepoint(body["savepoint-path"])) }),
  }),
  route({
    method: "GET", path: "/savepoint-disposal/:triggerid", summary: "What became of a savepoint's deletion.", role: "viewer", response: operationStatus,
    handle: ({ operations, params }) => {
      const result = operations.find(DISPOSAL, "", params["triggerid"]!);
      if (result === undefined) return inProgress;
      return "error" in result ? failed(result.error) : { status: completed, operation: {} };
    },
  }),
  route({
    method: "GET", path: "/jobs/:jobid/resource-requirements", summary: "Least and most parallelism of each vertex.", role: "viewer", response: resourceRequirements,
    handle: async ({ gateway, params }) =>
      Object.fromEntries(Object.entries(await gateway.resourceRequirements(params["jobid"]!)).map(([id, parallelism]) => [id, { parallelism }])),
  }),
  route({
    method: "PUT", path: "/jobs/:jobid/resource-requirements", summary: "Rescales a job to new bounds of parallelism.", role: "operator", response: nothing, body: resourceRequirements,
    handle: async ({ gateway, params, body }) => {
      for (const [id, { parallelism: { lowerBound, upperBound } }] of Object.entries(body)) {
        if (!Number.isSafeInteger(lowerBound) || !Number.isSafeInteger(upperBound) || lowerBound < 1 || upperBound < lowerBound) throw new RestError(400, `The bounds of vertex ${id} are not possible: 1 ≤ lowerBound ≤ upperBound.`);
      }
      await gateway.updateResourceRequirements(params["jobid"]!, Object.fromEntries(Object.entries(body).map(([id, { parallelism }]) => [id, parallelism])));
      return {};
    },
  }),
  ...(["PATCH /jobs/:jobid/rescaling", "GET /jobs/:jobid/rescaling/:triggerid"] as const).map((route_) => route({
    method: route_.split(" ")[0] as "PATCH" | "GET", path: route_.split(" ")[1]!, summary: "Flink's old way to rescale, switched off there, too.", role: "operator", response: nothing, empty: true,
    handle: () => {
      throw new RestError(503, "Rescaling is temporarily disabled. See FLINK-12312.");
    },
  })),
  route({
    method: "PATCH", path: "/jobs/:jobid/clientHeartbeat", summary: "Keeps a job alive that belongs to an attached client.", role: "operator", status: 202, response: nothing, body: anything, empty: true,
    handle: async ({ gateway, params }) => {
      await gateway.job(params["jobid"]!);
      return {};
    },
  }),
];

const completed = { id: "COMPLETED" } as const;
const inProgress = { status: { id: "IN_PROGRESS" } } as const;

function failed(error: unknown): { readonly status: typeof completed; readonly operation: { readonly "failure-cause": ReturnType<typeof failureCause> } } {
  return { status: completed, operation: { "failure-cause": failureCause(error) } };
}

/** @throws 404 for a job that is not there, 409 for one that has ended */
async function runningJob(gateway: RestRequest["gateway"], jobId: string): Promise<string> {
  await gateway.job(jobId);
  if ((await gateway.jobOutcome(jobId)) !== undefined) throw new RestError(409, `Job ${jobId} has ended.`);
  return jobId;
}

/** @throws 400 when neither the request nor the configuration names a directory */
async function target(gateway: RestRequest["gateway"], jobId: string, directoryOfRequest: string | null | undefined): Promise<string | undefined> {
  if (directoryOfRequest !== null && directoryOfRequest !== undefined && directoryOfRequest !== "") return directoryOfRequest;
  const { jobGraph } = await gateway.job(jobId);
  const configured = savepointDirectory(jobGraph.config) ?? savepointDirectory((await gateway.jobManager()).config);
  if (configured === undefined) throw new RestError(400, "Config key [execution.checkpointing.savepoint-dir] is not set. Property [target-directory] must be provided.");
  return configured;
}

function savepointDirectory(config: Readonly<Record<string, unknown>>): string | undefined {
  for (const key of [SAVEPOINT_DIRECTORY.key, ...(SAVEPOINT_DIRECTORY.deprecatedKeys ?? [])]) if (config[key] !== undefined) return String(config[key]);
  return undefined;
}

function trigger(id: string | null | undefined): string | undefined {
  if (id === null || id === undefined) return undefined;
  if (!/^[0-9a-f]{32}$/.test(id)) throw new RestError(400, `"${id}" is not a trigger id: 32 hexadecimal digits.`);
  return id;
}
