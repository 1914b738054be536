import type { Profiling } from "../../inspection/process-inspection.js";
import { RestError } from "../http/rest-error.js";
import { FileAnswer, fileRoute, route, type RestRequest, type Route } from "../http/route.js";
import { profiling, profilingRequest, profilings } from "../schema/cluster-answers.js";
import type { Infer } from "../schema/schema.js";

/** It is a page with a script, made of names that users' code has: it is saved, not shown, and where it is shown nevertheless it is nobody's. */
const fileHeaders = (name: string): Readonly<Record<string, string>> => ({
  "content-disposition": `attachment; filename="${name}"`, "content-security-policy": "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'",
});

/** Flink: ProfilingService behind REST (FLIP-375). Without `rest.profiling.enabled` the routes are not there, as in Flink. */
export const profilerRoutes: readonly Route[] = [["/jobmanager/profiler", "the JobManager"], ["/taskmanagers/:taskmanagerid/profiler", "a TaskManager"]].flatMap(([path, whom]) => [
  route({
    method: "GET", path: path!, summary: `Profilings of ${whom}, newest first.`, role: "viewer", response: profilings,
    handle: async (request) => ({ profilingList: (await list(request)).map(infoOf) }),
  }),
  route({
    method: "POST", path: path!, summary: `Profiles ${whom} for \`duration\` seconds.`, role: "operator", body: profilingRequest, response: profiling,
    handle: async (request) => {
      const { gateway, settings, params, body: { mode, duration } } = request;
      mustBeEnabled(request);
      if (!Number.isSafeInteger(duration) || duration <= 0 || duration > settings.profilingMaxSeconds) {
        throw new RestError(400, `\`duration\` must be set between (0s, ${settings.profilingMaxSeconds}s].`);
      }
      return infoOf(await gateway.startProfiling(params["taskmanagerid"], { mode, durationSeconds: duration }));
    },
  }),
  fileRoute({
    method: "GET", path: `${path}/:filename`, summary: `The file of a profiling of ${whom}: a page with flame graphs, which saves profiles for other tools.`, role: "viewer",
    handle: async (request) => {
      const file = (await list(request)).find((one) => one.file?.name === request.params["filename"])?.file;
      if (file === undefined) throw new RestError(404, "This file does not exist in JobManager or TaskManager profiling dir.");
      return new FileAnswer("text/html; charset=utf-8", file.sizeBytes, pieces(request, file.name), fileHeaders(file.name));
    },
  }),
]);

function mustBeEnabled({ settings }: RestRequest): void {
  if (!settings.profilingEnabled) throw new RestError(404, "Profiling is switched off: set rest.profiling.enabled.");
}

async function list(request: RestRequest): Promise<readonly Profiling[]> {
  mustBeEnabled(request);
  return request.gateway.profilings(request.params["taskmanagerid"]);
}

function infoOf({ status, mode, startedMs, endedMs, durationSeconds, message, file }: Profiling): Infer<typeof profiling> {
  return { status, mode, triggerTime: startedMs, finishedTime: endedMs ?? null, duration: durationSeconds, message: message ?? null, outputFile: file?.name ?? null };
}

async function* pieces({ gateway, params }: RestRequest, name: string): AsyncGenerator<Uint8Array> {
  for (let offset = 0; ; ) {
    const { bytes } = await gateway.readProfile(params["taskmanagerid"], name, offset);
    if (bytes.length === 0) return;
    yield bytes;
    offset += bytes.length;
  }
}
