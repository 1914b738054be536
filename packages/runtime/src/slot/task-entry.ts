import { canCompile } from "../chain/chain-compiler.js";
import type { Task } from "../task/task.js";

/** Which task a frame of a stack belongs to. */
export interface TaskOfFrame {
  readonly jobId: string;
  readonly vertexId: string;
  readonly subtaskIndex: number;
  /** `name (2/4)` */
  readonly label: string;
}

/** How the loop of a slot gives a task its turn. */
export type TaskEntry = (task: Task) => boolean;

const SCHEME = "millrace-task:";
let compiles: boolean | undefined;

/**
 * A function through which one task is entered and no other: its frame stands in every stack below it, under an address that names the task, so that profilers
 * and thread dumps can tell whose code a slot runs. `undefined` where text cannot be evaluated.
 */
export function taskEntry({ jobId, vertexId, subtaskIndex, label }: TaskOfFrame): TaskEntry | undefined {
  compiles ??= canCompile();
  if (!compiles) return undefined;
  const url = `${SCHEME}${jobId}/${vertexId}/${subtaskIndex}/${encodeURIComponent(label).replaceAll("'", "%27")}`;
  return new Function("task", `return task.step();\n//# sourceURL=${url}`) as TaskEntry;
}

/** What {@link taskEntry} has put into a frame's address; `undefined` for all others. */
export function taskOfUrl(url: string): TaskOfFrame | undefined {
  if (!url.startsWith(SCHEME)) return undefined;
  const [jobId = "", vertexId = "", subtaskIndex = "", label = ""] = url.slice(SCHEME.length).split("/");
  return { jobId, vertexId, subtaskIndex: Number(subtaskIndex), label: decodeURIComponent(label) };
}
