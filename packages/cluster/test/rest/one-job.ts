// A gateway over one scripted job that runs for as long as the test wants.
import { VirtualTime } from "@millrace/testkit";
import type { JobGraph } from "@millrace/graph";
import { JobMaster } from "../../src/job-master/job-master.js";
import { EmbeddedGateway } from "../../src/rest/gateway/embedded-gateway.js";
import { startRestServer, type RestServer, type RestServerInit } from "../../src/rest/rest-server.js";
import { ScriptedSlots, twoVertexGraph } from "../scripted-slots.js";

export interface OneJob {
  readonly gateway: EmbeddedGateway;
  readonly master: JobMaster;
  readonly slots: ScriptedSlots;
  readonly time: VirtualTime;
  readonly jobGraph: JobGraph;
}

/** The job is running when this resolves. Close the gateway. @param metricVariables of its operators */
export async function oneJob(metricVariables: Readonly<Record<string, string>> = {}): Promise<OneJob> {
  const time = new VirtualTime();
  const graph = twoVertexGraph();
  const vertices = graph.vertices.map((vertex) => ({ ...vertex, operators: vertex.operators.map((operator) => ({ ...operator, metricVariables })) }));
  const jobGraph = { ...graph, vertices, jobId: "a".repeat(32) };
  const slots = new ScriptedSlots(time.clock);
  const master = new JobMaster({ env: time.env, jobGraph, slots, checkpointDirectory: "/checkpoints/job", temporaryDirectory: "/tmp/job" });
  const gateway = new EmbeddedGateway({ version: "0.1.0", config: { "s3.secret-key": "hidden", "rest.port": "8081", "jdbc.url": "jdbc://me:pw@host/db" } });
  gateway.add(jobGraph.jobId, master);
  master.start();
  await time.advance(0);
  return { gateway, master, slots, time, jobGraph };
}

/** Runs a test against a server over one job. */
export async function withServer(init: Partial<RestServerInit>, run: (server: RestServer, job: OneJob) => Promise<void>): Promise<void> {
  const job = await oneJob();
  const server = await startRestServer({ gateway: job.gateway, version: "0.1.0", log: { write: () => undefined }, ports: [0], ...init });
  try {
    await run(server, job);
  } finally {
    await server.close();
    job.gateway.close();
  }
}
