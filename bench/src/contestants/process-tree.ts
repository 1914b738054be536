import { readdirSync, readFileSync } from "node:fs";

/** Resident memory of a process and its descendants, in KB; 0 where there is no /proc. */
export function treeRssKb(pid: number): number {
  let sum = 0;
  for (const member of tree(pid)) sum += statusKb(member, "VmRSS");
  return sum;
}

/** The most a process has had resident, in KB, as the kernel counts. */
export function highWaterKb(pid: number): number {
  return statusKb(pid, "VmHWM");
}

function statusKb(pid: number, field: string): number {
  try {
    return Number(new RegExp(`^${field}:\\s*(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

function tree(pid: number): number[] {
  const members = [pid];
  for (let i = 0; i < members.length; i++) members.push(...children(members[i]!));
  return members;
}

function children(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8").split(" ").filter((text) => text !== "").map(Number));
  } catch {
    return [];
  }
}
