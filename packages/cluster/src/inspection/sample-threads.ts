import { taskOfUrl } from "@millrace/runtime";
import { inspectThreads, type InspectedThread } from "./inspected-threads.js";
import type { InspectorRequest } from "./inspector-protocol.js";
import type { SampledTask, SampledThread, StackNode } from "./process-inspection.js";
import { frameText } from "./stack-frames.js";

type SampleRequest = Extract<InspectorRequest, { kind: "sample" }>;

/** A CPU profile of the inspector protocol. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number; readonly columnNumber: number };
    readonly children?: readonly number[];
  }[];
  readonly samples?: readonly number[];
}

/** Lets V8's CPU profiler look at threads for a while. Threads that do not answer are left out. */
export function sampleThreads(request: SampleRequest): Promise<readonly SampledThread[]> {
  return inspectThreads(async (threads) => {
    const watched = threads.filter(({ threadId }) => request.threads.includes(threadId));
    const profiles = await Promise.all(watched.map((thread) => profile(thread, request)));
    return profiles.filter((found) => found !== undefined).map((found) => tasksOf(found, request));
  });
}

async function profile(thread: InspectedThread, { samples, delayMs }: SampleRequest): Promise<CpuProfile | undefined> {
  await thread.ask("Profiler.enable");
  try {
    await thread.ask("Profiler.setSamplingInterval", { interval: Math.max(100, Math.round(delayMs * 1000)) });
    if ((await thread.ask("Profiler.start")) === undefined) return undefined;
    await new Promise((resolve) => setTimeout(resolve, samples * delayMs));
    return (await thread.ask<{ profile: CpuProfile }>("Profiler.stop"))?.profile;
  } finally {
    await thread.ask("Profiler.disable");
  }
}

interface GrowingNode {
  readonly name: string;
  value: number;
  readonly children: Map<string, GrowingNode>;
}

/** The samples of a profile by the tasks of a job that ran. A collection of garbage belongs to what ran before it. */
export function tasksOf({ nodes, samples = [] }: CpuProfile, { jobId, depth }: Pick<SampleRequest, "jobId" | "depth">): SampledThread {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id] as const)));
  const trees = new Map<string, GrowingNode>();
  let idle = 0;
  let before: readonly string[] | undefined;
  for (const sample of samples) {
    const path: CpuProfile["nodes"][number]["callFrame"][] = [];
    for (let id: number | undefined = sample; id !== undefined; id = parents.get(id)) path.unshift(byId.get(id)!.callFrame);
    const leaf = path.at(-1)!;
    if (leaf.functionName === "(idle)" || (path.length <= 2 && leaf.functionName === "(program)")) {
      idle++;
      before = undefined;
      continue;
    }
    const collects = leaf.functionName === "(garbage collector)";
    const at = path.findLastIndex(({ url }) => taskOfUrl(url)?.jobId === jobId);
    if (at < 0 && !(collects && before !== undefined)) continue;
    const stack = at < 0 ? [...before!, "(garbage collector)"]
      : [path[at]!.url, ...path.slice(at).map(({ functionName, url, lineNumber, columnNumber }) => frameText({ functionName, url, line: lineNumber, column: columnNumber }, "name"))];
    if (at >= 0) before = stack.slice(0, 2);
    add(trees, stack[0]!, stack.slice(1, depth + 1));
  }
  return { samples: samples.length, idle, tasks: [...trees].map(([url, tree]) => taskSamples(url, tree)) };
}

function add(trees: Map<string, GrowingNode>, task: string, frames: readonly string[]): void {
  let node = childOf(trees, task, "root");
  node.value++;
  for (const name of frames) {
    node = childOf(node.children, name, name);
    node.value++;
  }
}

function childOf(nodes: Map<string, GrowingNode>, key: string, name: string): GrowingNode {
  let node = nodes.get(key);
  if (node === undefined) nodes.set(key, (node = { name, value: 0, children: new Map() }));
  return node;
}

function taskSamples(url: string, tree: GrowingNode): SampledTask {
  const { vertexId, subtaskIndex } = taskOfUrl(url)!;
  return { vertexId, subtaskIndex, stacks: grown(tree) };
}

function grown({ name, value, children }: GrowingNode): StackNode {
  return { name, value, children: [...children.values()].map(grown) };
}
