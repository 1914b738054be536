import { rm } from "node:fs/promises";
import { RestError } from "../http/rest-error.js";
import { route, type RestRequest, type Route } from "../http/route.js";
import type { ArtifactGateway, ArtifactRun } from "../gateway/rest-gateway.js";
import { jars, started, uploaded } from "../schema/cluster-answers.js";
import { jobPlanAnswer } from "../schema/job-answers.js";
import { array, boolean, nothing, nullable, number, object, optional, record, text, type Infer } from "../schema/schema.js";
import { planOf } from "./job-routes.js";

const runBody = object({
  entryClass: optional(nullable(text)), programArgs: optional(nullable(text)), programArgsList: optional(nullable(array(text))), parallelism: optional(nullable(number)),
  jobId: optional(nullable(text)), allowNonRestoredState: optional(nullable(boolean)), savepointPath: optional(nullable(text)), claimMode: optional(nullable(text)),
  restoreMode: optional(nullable(text)), flinkConfiguration: optional(nullable(record(text))),
});
const runQuery = {
  allowNonRestoredState: "as -n of the command", savepointPath: "as -s", programArg: "arguments, separated by commas", parallelism: "as -p",
  "entry-class": "accepted and without effect: a bundle has one entry",
};
const submitter = { role: "submitter" } as const;

/** Job bundles under the name that Flink's clients know: a JAR is a bundle (`.mjs`, `.js`) here. */
export const jarRoutes: readonly Route[] = [
  route({
    method: "GET", path: "/jars", summary: "Uploaded job bundles.", role: "viewer", response: jars,
    handle: async ({ gateway, settings, address }) => ({
      address,
      files: settings.submitEnabled ? ((await gateway.artifacts?.list()) ?? []).map(({ id, name, uploadedMs }) => ({ id, name, uploaded: uploadedMs, entry: [{ name }] })) : [],
    }),
  }),
  route({
    method: "POST", path: "/jars/upload", summary: "Uploads a job bundle.", ...submitter, response: uploaded, takesFile: true,
    handle: async (request) => {
      const { upload } = request;
      try {
        const store = artifacts(request);
        if (upload === undefined) throw new RestError(400, "Exactly 1 file must be sent, received 0.");
        if (!/\.(mjs|js)$/.test(upload.name)) throw new RestError(400, "Only job bundles are allowed: .mjs or .js.");
        const { id } = await store.add(upload.name, upload.path);
        return { filename: id, status: "success" as const };
      } finally {
        if (upload !== undefined) await rm(upload.path, { force: true });
      }
    },
  }),
  route({
    method: "DELETE", path: "/jars/:jarid", summary: "Deletes an uploaded bundle.", ...submitter, response: nothing,
    handle: async (request) => {
      await artifacts(request).delete(request.params["jarid"]!);
      return {};
    },
  }),
  ...(["GET", "POST"] as const).map((method) => route({
    method, path: "/jars/:jarid/plan", summary: "The plan of a bundle's job.", ...submitter, query: runQuery, response: jobPlanAnswer, ...(method === "POST" ? { body: runBody } : {}),
    handle: async (request) => ({ plan: planOf(await artifacts(request).plan(request.params["jarid"]!, runOf(request))) }),
  })),
  ...(["/jars/:jarid/run-application", "/jobs"] as const).map((path) => route({
    method: "POST", path, summary: path === "/jobs" ? "Flink's submission of a serialized job graph: not possible." : "Starts an application: use /jars/:jarid/run.", ...submitter, response: nothing, empty: true,
    handle: () => {
      throw new RestError(501, "Start jobs with POST /jars/:jarid/run, or with the millrace command.");
    },
  })),
  route({
    method: "POST", path: "/jars/:jarid/run", summary: "Runs a bundle's job.", ...submitter, query: runQuery, body: runBody, response: started,
    handle: async (request) => ({ jobid: await artifacts(request).run(request.params["jarid"]!, runOf(request)) }),
  }),
];

/** @throws 403 while uploads are off, 501 where nothing can be started */
function artifacts({ gateway, settings }: RestRequest<unknown>): ArtifactGateway {
  if (!settings.submitEnabled) throw new RestError(403, "Uploading and starting jobs through REST is switched off: set web.submit.enable.");
  if (gateway.artifacts === undefined) throw new RestError(501, "This cluster runs one embedded program and takes no other jobs.");
  return gateway.artifacts;
}

function runOf({ query, body }: RestRequest<Infer<typeof runBody> | undefined>): ArtifactRun {
  const parallelism = body?.parallelism ?? (query.has("parallelism") ? Number(query.get("parallelism")) : undefined);
  if (parallelism !== undefined && (!Number.isSafeInteger(parallelism) || parallelism < 1)) throw new RestError(400, "The parallelism must be a whole number from 1.");
  const jobId = body?.jobId ?? undefined;
  if (jobId !== undefined && !/^[0-9a-f]{32}$/.test(jobId)) throw new RestError(400, "The job id must be 32 hexadecimal digits.");
  const args = body?.programArgsList ?? (typeof body?.programArgs === "string" ? body.programArgs.split(/\s+/).filter((arg) => arg !== "") : undefined)
    ?? query.getAll("programArg").flatMap((value) => value.split(","));
  const claimMode = body?.claimMode ?? body?.restoreMode ?? undefined;
  return {
    args, parallelism, jobId, savepointPath: body?.savepointPath ?? query.get("savepointPath") ?? undefined,
    allowNonRestoredState: body?.allowNonRestoredState ?? query.get("allowNonRestoredState") === "true",
    config: { ...body?.flinkConfiguration, ...(claimMode === undefined ? {} : { "execution.state-recovery.claim-mode": claimMode }) },
  };
}
