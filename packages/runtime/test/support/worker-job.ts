import { MessageChannel, Worker } from "node:worker_threads";
import { deserializeError } from "@millrace/core";
import type { JobGraph } from "@millrace/graph";
import type { SlotCommand, SlotEvent } from "../../src/index.js";

/** Runs a job on worker threads, one slot each, to its end. @param graphModule exports `graph`. */
export async function runOnWorkers(jobGraph: JobGraph, graphModule: string, slots: number, onEvent: (event: SlotEvent) => void = () => undefined): Promise<void> {
  const workers = Array.from({ length: slots }, () => new Worker(new URL("./worker-entry.mjs", import.meta.url), { workerData: { graph: graphModule } }));
  const epoch = 1;
  const tasks = jobGraph.vertices.flatMap((vertex) => Array.from({ length: vertex.parallelism }, (_, subtaskIndex) => ({ vertexId: vertex.id, subtaskIndex, attemptNumber: 0 })));
  const slotOfSubtask = Object.fromEntries(jobGraph.vertices.map((vertex) => [vertex.id, Array.from({ length: vertex.parallelism }, (_, i) => i % slots)]));
  const all = (command: SlotCommand): void => workers.forEach((worker) => worker.postMessage(command));
  try {
    await new Promise<void>((resolve, reject) => {
      const finished = new Set<string>();
      const initializing = new Set<string>();
      const handle = (event: SlotEvent): void => {
        onEvent(event);
        if (event.type === "coordinatorEvent") workers[0]!.postMessage(event);
        else if (event.type === "operatorEvent") all(event);
        else if (event.type === "slotFailed") reject(deserializeError(event.error));
        else if (event.type === "taskState") {
          const id = `${event.attempt.vertexId}/${event.attempt.subtaskIndex}`;
          if (event.error !== undefined) reject(deserializeError(event.error));
          if (event.state === "INITIALIZING" && initializing.add(id).size === tasks.length) all({ type: "run", epoch });
          if (event.state === "FINISHED" && finished.add(id).size === tasks.length) resolve();
        }
      };
      for (const worker of workers) worker.on("message", handle).on("error", reject);
      workers.forEach((worker, slotIndex) => worker.postMessage({ type: "start", epoch, job: { jobGraph, slotIndex, numberOfSlots: slots, checkpointDirectory: "/x", temporaryDirectory: "/tmp/x" } }));
      for (let a = 0; a < slots; a++) {
        for (let b = a + 1; b < slots; b++) {
          const { port1, port2 } = new MessageChannel();
          workers[a]!.postMessage({ type: "connect", epoch, peerSlot: b, port: port1 }, [port1]);
          workers[b]!.postMessage({ type: "connect", epoch, peerSlot: a, port: port2 }, [port2]);
        }
      }
      for (const vertex of jobGraph.vertices) {
        for (const operator of vertex.operators.filter(({ type }) => type === "source")) {
          workers[0]!.postMessage({ type: "startCoordinator", epoch, operatorId: operator.id, nodeId: operator.nodeId, parallelism: vertex.parallelism, restored: undefined });
        }
      }
      workers.forEach((worker, slotIndex) => worker.postMessage({
        type: "deploy", epoch,
        tasks: tasks.filter(({ subtaskIndex }) => subtaskIndex % slots === slotIndex).map((attempt) => ({ attempt, restore: undefined, slotOfSubtask })),
      }));
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
