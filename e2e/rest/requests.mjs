// What is asked of Flink (record.mjs) and of Millrace (contract.it.ts) alike: every route that shows or does something with a running job.

const deadlineMs = 60_000;

/** Asks until the answer is as wanted. */
async function until(ask, path, wanted) {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const { status, body } = await ask("GET", path);
    if (status === 200 && wanted(body)) return body;
    if (Date.now() > end) throw new Error(`${path} never answered as expected; last: ${status} ${JSON.stringify(body)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Yields `{ name, status, body }` for each request. The job must have restarted once, and takes checkpoints. `cancel` ends it. */
export async function* requests({ ask, jobId }) {
  const job = `/v1/jobs/${jobId}`;
  await until(ask, `${job}/exceptions`, (body) => body.exceptionHistory.entries.length > 0);
  await until(ask, job, (body) => body.state === "RUNNING" && body.vertices.every((vertex) => vertex.status === "RUNNING"));
  await until(ask, `${job}/checkpoints`, (body) => body.counts.completed > 2 && body.latest.restored !== undefined);
  const details = await until(ask, job, (body) => body.vertices.every((vertex) => vertex.metrics["read-records-complete"]) && body.vertices[0].metrics["write-records"] > 0);
  const vertexId = details.vertices[0].id;
  const counting = details.vertices.find(({ name }) => name.includes("counting")).id;
  const vertex = `${job}/vertices/${vertexId}`;
  const attempt = (await ask("GET", vertex)).body.subtasks[0].attempt;
  const { body: { taskmanagers: [{ id: taskManager }] } } = await ask("GET", "/v1/taskmanagers");
  const get = async (name, path) => ({ name: `GET ${name}`, ...(await ask("GET", path ?? name)) });

  for (const path of ["/v1/config", "/v1/overview", "/v1/jobs", "/v1/jobs/overview", "/v1/taskmanagers", "/v1/datasets", "/v1/jars", "/v1/jobmanager/config",
    "/v1/jobmanager/environment", "/v1/jobmanager/logs", "/v1/jobmanager/metrics", "/v1/jobmanager/thread-dump", "/v1/jobs/metrics", "/v1/taskmanagers/metrics", "/overview",
    "/v1/jobmanager/metrics?get=numRunningJobs,taskSlotsTotal", "/v1/jobs/metrics?get=uptime&agg=max", "/v1/jobs/metrics?get=uptime", "/v1/applications/overview"]) yield await get(path);

  for (const path of ["", "/config", "/plan", "/status", "/accumulators", "/exceptions", "/exceptions?maxExceptions=1", "/checkpoints", "/checkpoints/config", "/metrics",
    "/metrics?get=uptime,numRestarts", "/resource-requirements", "/jobmanager/config", "/jobmanager/environment", "/jobmanager/log-url"]) yield await get(`/v1/jobs/<job>${path}`, job + path);
  const { body: { history } } = await ask("GET", `${job}/checkpoints`);
  const completed = history.find((entry) => entry.status === "COMPLETED");
  yield await get("/v1/jobs/<job>/checkpoints/details/<checkpoint>", `${job}/checkpoints/details/${completed.id}`);
  yield await get("/v1/jobs/<job>/checkpoints/details/<checkpoint>/subtasks/<vertex>", `${job}/checkpoints/details/${completed.id}/subtasks/${vertexId}`);
  for (const path of ["/accumulators", "/subtasks/accumulators", `/subtasks/0/attempts/${attempt}/accumulators`]) {
    yield await get(`/v1/jobs/<job>/vertices/<last>${path.replace(`attempts/${attempt}`, "attempts/<attempt>")}`, `${job}/vertices/${counting}${path}`);
  }
  for (const path of ["", "/subtasktimes", "/taskmanagers", "/watermarks", "/metrics", "/subtasks/metrics", "/subtasks/0", `/subtasks/0/attempts/${attempt}`,
    "/subtasks/0/metrics", "/subtasks/0/metrics?get=numRecordsIn,numRecordsOut", "/metrics?get=0.numRecordsOut,1.numRecordsOut",
    "/subtasks/metrics?get=numRecordsOut", "/subtasks/metrics?get=numRecordsOut&agg=max,sum&subtasks=0-1", "/jm-operator-metrics"]) {
    yield await get(`/v1/jobs/<job>/vertices/<vertex>${path.replace(`attempts/${attempt}`, "attempts/<attempt>")}`, vertex + path);
  }
  yield { name: "GET /v1/jobs/<job>/vertices/<last>/watermarks", ...(await ask("GET", `${job}/vertices/${counting}/watermarks`)) };
  yield { name: "GET /v1/jobs/<job>/vertices/<vertex>/backpressure", status: 200, body: await until(ask, `${vertex}/backpressure`, (body) => body.status === "ok") };
  yield await get("/v1/jobs/<job>/vertices/<vertex>/flamegraph", `${vertex}/flamegraph?type=FULL`);
  for (const path of ["", "/logs", "/metrics", "/thread-dump", "/metrics?get=Status.JVM.Threads.Count"]) yield await get(`/v1/taskmanagers/<tm>${path}`, `/v1/taskmanagers/${taskManager}${path}`);
  yield await get("/v1/jobs/<job>/taskmanagers/<tm>/log-url", `${job}/taskmanagers/${taskManager}/log-url`);

  yield* errors({ ask, job, get });
  yield* operations({ ask, job });
}

/** What does not exist, and what is not possible. */
async function* errors({ ask, job, get }) {
  const nobody = "0".repeat(32);
  for (const path of ["/v1/no-such-route", `/v1/jobs/${nobody}`, `/v1/jobs/${nobody}/plan`, "/v1/jobs/not-an-id", `/v1/taskmanagers/${nobody}`]) yield await get(path);
  yield await get("/v1/jobs/<job>/vertices/<nobody>", `${job}/vertices/${nobody}`);
  yield await get("/v1/jobs/<job>/vertices/not-an-id", `${job}/vertices/not-an-id`);
  yield await get("/v1/jobs/<job>/checkpoints/details/99999", `${job}/checkpoints/details/99999`);
  yield await get("/v1/jobs/<job>/savepoints/<nobody>", `${job}/savepoints/${nobody}`);
  yield { name: "POST /v1/overview", ...(await ask("POST", "/v1/overview")) };
  yield { name: "POST /v1/jobs/<job>/savepoints with an unknown field", ...(await ask("POST", `${job}/savepoints`, { "no-such-field": 1 })) };
  yield { name: "POST /v1/jobs/<job>/savepoints without a directory", ...(await ask("POST", `${job}/savepoints`, {})) };
  yield { name: "POST /v1/jars/upload without a file", ...(await ask("POST", "/v1/jars/upload")) };
  yield { name: "POST /v1/jars/<unknown>/run", ...(await ask("POST", "/v1/jars/unknown.jar/run", {})) };
  yield { name: "DELETE /v1/jars/<unknown>", ...(await ask("DELETE", "/v1/jars/unknown.jar")) };
  yield { name: "PATCH /v1/jobs/<job>/rescaling", ...(await ask("PATCH", `${job}/rescaling?parallelism=1`)) };
  yield { name: "PATCH /v1/jobs/<job>?mode=stop", ...(await ask("PATCH", `${job}?mode=stop`)) };
  yield await get("/v1/jobs/<job>/rescales/overview", `${job}/rescales/overview`);
  yield await get("/v1/jobs/<job>/rescales/history", `${job}/rescales/history`);
  yield await get("/v1/jobs/<job>/rescales/summary", `${job}/rescales/summary`);
  yield await get("/v1/jobs/<job>/rescales/config", `${job}/rescales/config`);
}

async function* operations({ ask, job }) {
  const checkpoint = await ask("POST", `${job}/checkpoints`, { checkpointType: "CONFIGURED" });
  yield { name: "POST /v1/jobs/<job>/checkpoints", ...checkpoint };
  const body = await until(ask, `${job}/checkpoints/${checkpoint.body["request-id"]}`, (answer) => answer.status.id === "COMPLETED");
  yield { name: "GET /v1/jobs/<job>/checkpoints/<trigger>", status: 200, body };
  const disposal = await ask("POST", "/v1/savepoint-disposal", { "savepoint-path": "/no/such/savepoint" });
  yield { name: "POST /v1/savepoint-disposal", ...disposal };
  const disposed = await until(ask, `/v1/savepoint-disposal/${disposal.body["request-id"]}`, (answer) => answer.status.id === "COMPLETED");
  yield { name: "GET /v1/savepoint-disposal/<trigger>", status: 200, body: disposed };
  yield { name: "PATCH /v1/jobs/<job>", ...(await ask("PATCH", job)) };
  await until(ask, job, (answer) => answer.state === "CANCELED");
  yield { name: "GET /v1/jobs/<job> after its end", ...(await ask("GET", job)) };
  yield { name: "GET /v1/jobs/<job>/execution-result after its end", ...(await ask("GET", `${job}/execution-result`)) };
}
