import { parentPort, workerData, type MessagePort } from "node:worker_threads";
import { BatchDecoder, MillraceError, deserializeError, encodeValue, serializeError } from "@millrace/core";
import { ModuleGate, runJobModule, translate, type CollectedResults, type JobArguments, type JobClient, type JobModule, type Pipeline } from "@millrace/graph";
import { unusedArguments } from "./unused-arguments.js";
import type { ClientMethod, ProgramCommand, ProgramMessage, ProgramStart, ProgramThreadData, ProgramWaits } from "./program-protocol.js";

/*
 * The worker thread in which a job's program runs: its `execute()` hands the plan to the parent and settles with the job the parent runs, as an
 * attached client. The program's slots re-run the same module elsewhere. No top-level await: see ModuleGate.
 */
class Program {
  readonly #port: MessagePort;
  readonly #start: ProgramStart;
  readonly #gate: ModuleGate;
  readonly #calls = new Map<number, { resolve: (value: never) => void; reject: (error: unknown) => void }>();
  readonly #readers: JobArguments[] = [];
  readonly #decoder: BatchDecoder = new BatchDecoder();
  #nextCall = 0;
  #collectors: ReadonlyMap<string, CollectedResults> = new Map();
  #onSubmitted: (() => void) | undefined;

  constructor(port: MessagePort, start: ProgramStart, gate: ModuleGate) {
    this.#port = port;
    this.#start = start;
    this.#gate = gate;
  }

  run(): void {
    const { artifactUrl, source, args, config, parameters } = this.#start;
    process.setSourceMapsEnabled(true);
    process.argv.splice(1, Number.POSITIVE_INFINITY, source, ...args);
    this.#port.on("message", (command: ProgramCommand) => this.#receive(command));
    this.#port.unref();
    runJobModule(() => this.#gate.load(() => import(artifactUrl) as Promise<JobModule>), {
      configOverrides: config, parameterOverrides: parameters, execute: (pipeline) => this.#submit(pipeline), onArguments: (reader) => void this.#readers.push(reader),
    }).catch((error: unknown) => this.#send({ type: "failed", error: serializeError(error) }));
  }

  #send(message: ProgramMessage): void {
    this.#port.postMessage(message);
  }

  #submit(pipeline: Pipeline): Promise<JobClient> {
    this.#gate.running();
    const once = Object.fromEntries([...pipeline.once].map(([name, value]) => [name, Buffer.from(encodeValue(value)).toString("base64")]));
    const jobGraph = translate(pipeline, { jobId: this.#start.jobId, once });
    this.#collectors = pipeline.collectors ?? new Map<string, CollectedResults>();
    this.#port.ref();
    return new Promise((resolve) => {
      this.#onSubmitted = () => {
        this.#updateReference();
        resolve(this.#attachedClient());
      };
      this.#send({ type: "plan", jobGraph, warnings: unusedArguments(this.#start.args, this.#readers) });
    });
  }

  #attachedClient(): JobClient {
    const call = <T>(method: ClientMethod) => (...args: readonly unknown[]): Promise<T> => new Promise<T>((resolve, reject) => {
      const callId = this.#nextCall++;
      this.#calls.set(callId, { resolve, reject });
      this.#updateReference();
      this.#send({ type: "call", callId, method, args });
    });
    return {
      jobId: this.#start.jobId, getJobStatus: call("getJobStatus"), cancel: call("cancel"), getJobExecutionResult: call("getJobExecutionResult"),
      getAccumulators: call("getAccumulators"), getMetrics: call("getMetrics"), triggerCheckpoint: call("triggerCheckpoint"),
      triggerSavepoint: call("triggerSavepoint"), stopWithSavepoint: call("stopWithSavepoint"),
    };
  }

  #receive(command: ProgramCommand): void {
    switch (command.type) {
      case "submitted":
        return this.#onSubmitted?.();
      case "collected":
        return this.#takeResults(command);
      case "reply": {
        const waiting = this.#calls.get(command.callId);
        this.#calls.delete(command.callId);
        this.#updateReference();
        if (command.error !== undefined) waiting?.reject(deserializeError(command.error));
        else waiting?.resolve(command.value as never);
      }
    }
  }

  #takeResults({ collectId, subtaskIndex, batch }: Extract<ProgramCommand, { type: "collected" }>): void {
    const take = this.#collectors.get(collectId);
    if (take === undefined) throw new MillraceError({ code: "COLLECTOR_UNKNOWN", message: `nobody in the program collects "${collectId}"` });
    const { values, count } = this.#decoder.decode(batch);
    take(values.slice(0, count), subtaskIndex);
  }

  /** The program lives as long as it waits for something of its job. */
  #updateReference(): void {
    if (this.#calls.size > 0) this.#port.ref();
    else this.#port.unref();
  }
}

/** A thread that was started early hears later what it runs. */
function told(port: MessagePort, { preloadUrl }: ProgramWaits): Promise<ProgramStart> {
  // Should it not load, the job's own import says why.
  import(preloadUrl).catch(() => undefined);
  return new Promise((resolve) => port.once("message", resolve));
}

async function begin(port: MessagePort, { start, gate }: ProgramThreadData): Promise<void> {
  new Program(port, "preloadUrl" in start ? await told(port, start) : start, new ModuleGate(gate)).run();
}

void begin(parentPort!, workerData as ProgramThreadData);
