import type { SampledThread, StackNode } from "../../inspection/process-inspection.js";
import { RestError } from "../http/rest-error.js";
import { route, type Route } from "../http/route.js";
import { flameGraph, type FlameNode } from "../schema/job-answers.js";
import { find } from "./vertex-routes.js";

/** Flink's time stamps of graphs that are not there. */
const WAITING = { endTimestamp: -1 };
const DISABLED = { endTimestamp: -2 };
const TERMINATED = { endTimestamp: -3 };
const types = ["FULL", "ON_CPU", "OFF_CPU"] as const;
const over: ReadonlySet<string> = new Set(["FINISHED", "CANCELED", "FAILED"]);

export const flameGraphRoutes: readonly Route[] = [
  route({
    method: "GET", path: "/jobs/:jobid/vertices/:vertexid/flamegraph", summary: "Where the tasks of a vertex spend their time, as a flame graph.", role: "viewer", response: flameGraph,
    query: { type: "FULL (the default), ON_CPU or OFF_CPU", subtaskindex: "one subtask only" },
    handle: async (request) => {
      const { vertex, current } = await find(request);
      const { flameGraphs, query } = request;
      if (!flameGraphs.settings.enabled) return DISABLED;
      const type = typeOf(query.get("type"));
      const chosen = subtask(query.get("subtaskindex"), current.length);
      const watched = current.filter(({ subtaskIndex, state }) => !over.has(state) && (chosen === undefined || subtaskIndex === chosen)).map(({ subtaskIndex }) => subtaskIndex);
      if (watched.length === 0) return TERMINATED;
      const samples = flameGraphs.of(request.params["jobid"]!);
      if (samples === undefined) return WAITING;
      return { endTimestamp: samples.endedMs, data: graphOf(watched.flatMap((subtaskIndex) => stacksOf(samples.threads, vertex.id, subtaskIndex, type))) };
    },
  }),
];

function typeOf(raw: string | null): (typeof types)[number] {
  const type = types.find((name) => name === (raw ?? "FULL").toUpperCase());
  if (type === undefined) throw new RestError(400, `Cannot resolve query parameter (type) from value "${raw}": it is one of ${types.join(", ")}.`);
  return type;
}

function subtask(raw: string | null, parallelism: number): number | undefined {
  if (raw === null) return undefined;
  const index = Number(raw);
  if (!Number.isSafeInteger(index) || index < 0 || index >= parallelism) throw new RestError(404, `Invalid subtask index for vertex: ${raw}`);
  return index;
}

/**
 * What one subtask did: its stacks, while it ran, and otherwise why it did not. It waits when its slot does, or when another task has its turn there. One
 * that was never seen, and may be in any of several slots, is said to have waited all the time.
 */
function stacksOf(threads: readonly SampledThread[], vertexId: string, subtaskIndex: number, type: (typeof types)[number]): StackNode[] {
  const seen = threads.find(({ tasks }) => tasks.some((task) => task.vertexId === vertexId && task.subtaskIndex === subtaskIndex));
  const thread = seen ?? (threads.length === 1 ? threads[0] : undefined);
  const stacks = thread?.tasks.find((task) => task.vertexId === vertexId && task.subtaskIndex === subtaskIndex)?.stacks;
  const samples = thread?.samples ?? Math.max(0, ...threads.map((one) => one.samples));
  const idle = thread?.idle ?? samples;
  const others = Math.max(0, samples - idle - (stacks?.value ?? 0));
  const waits = [["waiting for input, room or time", idle], ["another task of the slot runs", others]] as const;
  return [
    ...(type === "OFF_CPU" ? [] : (stacks?.children ?? [])),
    ...(type === "ON_CPU" ? [] : waits.filter(([, value]) => value > 0).map(([name, value]) => ({ name, value, children: [] }))),
  ];
}

/** Stacks of several subtasks put over each other. */
function graphOf(stacks: readonly StackNode[]): FlameNode {
  return { name: "root", value: stacks.reduce((sum, { value }) => sum + value, 0), children: merged(stacks) };
}

function merged(nodes: readonly StackNode[]): FlameNode[] {
  const byName = new Map<string, StackNode[]>();
  for (const node of nodes) byName.set(node.name, [...(byName.get(node.name) ?? []), node]);
  return [...byName].map(([name, same]) => ({ name, value: same.reduce((sum, { value }) => sum + value, 0), children: merged(same.flatMap(({ children }) => children)) }));
}
