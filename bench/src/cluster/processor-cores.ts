import { spawnSync } from "node:child_process";
import { cores } from "../contestants/run-process.js";

let pinned = false;

/** Pins this process, and so all that it starts from now on, to the benchmark's cores. */
export function pinToCores(): void {
  if (pinned || cores === "") return;
  pinned = true;
  spawnSync("taskset", ["-a", "-cp", cores, String(process.pid)]);
}
