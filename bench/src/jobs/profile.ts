import { mkdirSync, writeFileSync } from "node:fs";
import { Session, type Profiler } from "node:inspector";
import { join } from "node:path";
import { threadId } from "node:worker_threads";
import { parameters } from "./job-parameters.js";

/*
 * `--profile DIR`: each slot writes a CPU profile of the measured part, from its first record to the end of its sink; one without a source, from the start of its sink.
 */
let session: Session | undefined;

export function startProfile(): void {
  if (!parameters.has("profile")) return;
  session?.disconnect();
  session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.setSamplingInterval", { interval: 500 });
  session.post("Profiler.start");
}

export function endProfile(): void {
  session?.post("Profiler.stop", (error: Error | null, { profile }: Profiler.StopReturnType) => {
    if (error !== null) throw error;
    const directory = parameters.required("profile");
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, `slot-${process.pid}-${threadId}.cpuprofile`), JSON.stringify(profile));
  });
  session?.disconnect();
  session = undefined;
}
