import { parentPort, workerData } from "node:worker_threads";
import { BatchDecoder, MillraceError, deserializeError, encodeValue, serializeError } from "@millrace/core";
import { runJobModule, translate, type CollectedResults, type JobArguments, type JobClient, type JobModule, type Pipeline } from "@millrace/graph";
import { unusedArguments } from "./unused-arguments.js";
import type { ClientMethod, ProgramCommand, ProgramMessage, ProgramStart, ProgramWaits } from "./program-protocol.js";

/*
 * The worker thread in which a job's program runs: its `execute()` hands the plan to the parent and settles with the job the parent runs, as an
 * attached client. The program's slots re-run the same module elsewhere.
 */
const port = parentPort!;
const given = workerData as ProgramStart | ProgramWaits;
const start = "preloadUrl" in given ? await told(given) : given;
const calls = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>();
const readers: JobArguments[] = [];
let nextCall = 0;
let collectors: ReadonlyMap<string, CollectedResults> = new Map();
let onSubmitted: (() => void) | undefined;
const decoder = new BatchDecoder();

process.setSourceMapsEnabled(true);
process.argv.splice(1, Number.POSITIVE_INFINITY, start.source, ...start.args);
port.on("message", receive);
port.unref();

runJobModule(() => import(start.artifactUrl) as Promise<JobModule>, {
  configOverrides: start.config, parameterOverrides: start.parameters, execute: submit, onArguments: (reader) => void readers.push(reader),
}).catch((error: unknown) => send({ type: "failed", error: serializeError(error) }));

/** A thread that was started early hears later what it runs. */
function told({ preloadUrl }: ProgramWaits): Promise<ProgramStart> {
  // Should it not load, the job's own import says why.
  import(preloadUrl).catch(() => undefined);
  return new Promise((resolve) => port.once("message", resolve));
}

function send(message: ProgramMessage): void {
  port.postMessage(message);
}

function submit(pipeline: Pipeline): Promise<JobClient> {
  const once = Object.fromEntries([...pipeline.once].map(([name, value]) => [name, Buffer.from(encodeValue(value)).toString("base64")]));
  const jobGraph = translate(pipeline, { jobId: start.jobId, once });
  collectors = pipeline.collectors ?? new Map<string, CollectedResults>();
  port.ref();
  return new Promise((resolve) => {
    onSubmitted = () => {
      updateReference();
      resolve(attachedClient());
    };
    send({ type: "plan", jobGraph, warnings: unusedArguments(start.args, readers) });
  });
}

function attachedClient(): JobClient {
  const call = <T>(method: ClientMethod) => (...args: readonly unknown[]): Promise<T> => new Promise<T>((resolve, reject) => {
    const callId = nextCall++;
    calls.set(callId, { resolve, reject });
    updateReference();
    send({ type: "call", callId, method, args });
  });
  return {
    jobId: start.jobId, getJobStatus: call("getJobStatus"), cancel: call("cancel"), getJobExecutionResult: call("getJobExecutionResult"),
    getAccumulators: call("getAccumulators"), getMetrics: call("getMetrics"), triggerCheckpoint: call("triggerCheckpoint"),
    triggerSavepoint: call("triggerSavepoint"), stopWithSavepoint: call("stopWithSavepoint"),
  };
}

function receive(command: ProgramCommand): void {
  switch (command.type) {
    case "submitted":
      return onSubmitted?.();
    case "collected":
      return takeResults(command);
    case "reply": {
      const waiting = calls.get(command.callId);
      calls.delete(command.callId);
      updateReference();
      if (command.error !== undefined) waiting?.reject(deserializeError(command.error));
      else waiting?.resolve(command.value as never);
    }
  }
}

function takeResults({ collectId, subtaskIndex, batch }: Extract<ProgramCommand, { type: "collected" }>): void {
  const take = collectors.get(collectId);
  if (take === undefined) throw new MillraceError({ code: "COLLECTOR_UNKNOWN", message: `nobody in the program collects "${collectId}"` });
  const { values, count } = decoder.decode(batch);
  take(values.slice(0, count), subtaskIndex);
}

/** The program lives as long as it waits for something of its job. */
function updateReference(): void {
  if (calls.size > 0) port.ref();
  else port.unref();
}
