import type { Socket } from "node:net";
import { parentPort, threadId, workerData } from "node:worker_threads";
import { dumpThreads } from "./dump-threads.js";
import type { InspectorCall, InspectorReply, InspectorRequest } from "./inspector-protocol.js";
import { profileThreads } from "./profile-threads.js";
import { sampleThreads } from "./sample-threads.js";

/*
 * A thread that looks at the others of its process through V8's inspector, which interrupts whatever code they run: the main thread and its workers answer
 * nothing themselves.
 */
if ((workerData as { readonly millraceInspector?: boolean } | null)?.millraceInspector === true) {
  parentPort!.on("message", (call: InspectorCall) => void answer(call).then((reply) => parentPort!.postMessage(reply)));
}

/** Serves calls that come over a stream, one JSON text a line; in a slot's process, where the main thread may be busy for ever. */
export function serveSocket(socket: Socket, first: Uint8Array): void {
  let text = "";
  const take = (chunk: Uint8Array): void => {
    const lines = (text + Buffer.from(chunk).toString("utf8")).split("\n");
    text = lines.pop()!;
    for (const line of lines) void answer(JSON.parse(line) as InspectorCall).then((reply) => socket.write(`${JSON.stringify(reply)}\n`));
  };
  socket.on("data", take);
  take(first);
  socket.resume();
}

async function answer({ id, request }: InspectorCall): Promise<InspectorReply> {
  try {
    return { id, answer: await perform(request) };
  } catch (error) {
    return { id, error: (error as Error).message };
  }
}

function perform(request: InspectorRequest): Promise<unknown> {
  switch (request.kind) {
    case "dump": return dumpThreads(threadId);
    case "sample": return sampleThreads(request);
    case "profile": return profileThreads(request, threadId);
  }
}
