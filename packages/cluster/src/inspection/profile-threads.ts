import { setTimeout as pause } from "node:timers/promises";
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { taskOfUrl } from "@millrace/runtime";
import { inspectThreads, type InspectedThread } from "./inspected-threads.js";
import type { InspectorRequest, ThreadProfile } from "./inspector-protocol.js";
import type { StackNode } from "./process-inspection.js";
import { frameText, originOf } from "./stack-frames.js";

type ProfileRequest = Extract<InspectorRequest, { kind: "profile" }>;

/** A longer profiling looks less often, so that what it finds has about the same size. */
const MAX_SAMPLES = 30_000;
const MIN_INTERVAL_MICROS = 1000;
/** Every so many bytes that are allocated, on the average, V8 notes who did. It keeps each note, so that a longer profiling takes fewer. */
const ALLOCATION_INTERVAL = { perSecond: 16 * 1024, least: 32 * 1024, most: 512 * 1024 };
/** A profile of many functions takes a moment to be put together. */
const RESULT_TIMEOUT_MS = 60_000;

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

/** What V8 tells of the CPU. https://chromedevtools.github.io/devtools-protocol/v8/Profiler/#type-Profile */
export interface RawCpuProfile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: CallFrame; readonly hitCount?: number; readonly children?: readonly number[] }[];
}

/** https://chromedevtools.github.io/devtools-protocol/v8/HeapProfiler/#type-SamplingHeapProfileNode */
export interface RawHeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly RawHeapNode[];
}

/** Profiles threads for a while. Those that do not answer, or end before, are left out; new ones, too. */
export function profileThreads(request: ProfileRequest, own: number): Promise<readonly ThreadProfile[]> {
  return inspectThreads(async (threads) => {
    const watched = threads.filter(({ threadId }) => request.threads?.includes(threadId) ?? threadId !== own);
    const profile = request.mode === "ALLOC" ? profileAllocations : profileTime;
    const profiles = await Promise.all(watched.map((thread) => profile(thread, request)));
    return profiles.filter((found) => found !== undefined);
  });
}

async function profileTime(thread: InspectedThread, { mode, durationMs }: ProfileRequest): Promise<ThreadProfile | undefined> {
  await thread.ask("Profiler.enable");
  try {
    await thread.ask("Profiler.setSamplingInterval", { interval: Math.max(MIN_INTERVAL_MICROS, Math.ceil((durationMs * 1000) / MAX_SAMPLES)) });
    if ((await thread.ask("Profiler.start")) === undefined) return undefined;
    await pause(durationMs);
    const stopped = await thread.ask<{ profile: RawCpuProfile }>("Profiler.stop", {}, RESULT_TIMEOUT_MS);
    if (stopped === undefined) return undefined;
    const { profile } = stopped;
    // Ticks of lines are those of the code that runs.
    const nodes = profile.nodes.map((node) => ({ ...node, positionTicks: undefined, callFrame: inSources(node.callFrame) }));
    return answer(thread, timeTree(profile, mode), { ...profile, nodes });
  } finally {
    await thread.ask("Profiler.disable");
  }
}

async function profileAllocations(thread: InspectedThread, { durationMs }: ProfileRequest): Promise<ThreadProfile | undefined> {
  const { perSecond, least, most } = ALLOCATION_INTERVAL;
  const samplingInterval = Math.min(most, Math.max(least, (durationMs / 1000) * perSecond));
  await thread.ask("HeapProfiler.enable");
  try {
    const collected = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
    if ((await thread.ask("HeapProfiler.startSampling", { samplingInterval, ...collected })) === undefined) return undefined;
    await pause(durationMs);
    const stopped = await thread.ask<{ profile: { readonly head: RawHeapNode } }>("HeapProfiler.stopSampling", {}, RESULT_TIMEOUT_MS);
    if (stopped === undefined) return undefined;
    const { head } = stopped.profile;
    return answer(thread, allocationTree(head), { head: headInSources(head), samples: [] });
  } finally {
    await thread.ask("HeapProfiler.disable");
  }
}

function answer({ threadId, name }: InspectedThread, tree: StackNode, profile: object): ThreadProfile {
  return { threadId, name, tree: scriptJson(tree), profile: scriptJson(profile) };
}

/** JSON that ends no script element it stands in. */
export function scriptJson(value: unknown): string {
  return JSON.stringify(value).replaceAll("<", "\\u003c");
}

/** Samples by what ran. Without `WALL` those that found the thread waiting do not count. */
export function timeTree({ nodes }: RawCpuProfile, mode: ProfileRequest["mode"]): StackNode {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const treeOf = ({ callFrame, hitCount = 0, children = [] }: RawCpuProfile["nodes"][number]): StackNode => {
    const below = children.map((id) => byId.get(id)!).filter(({ callFrame: { functionName } }) => mode === "WALL" || functionName !== "(idle)").map(treeOf);
    return merged(nameOf(callFrame), hitCount, below);
  };
  return nodes.length === 0 ? { name: "(root)", value: 0, children: [] } : treeOf(nodes[0]!);
}

/** Bytes by who allocated them, what has been collected since included. */
export function allocationTree({ callFrame, selfSize, children }: RawHeapNode): StackNode {
  return merged(nameOf(callFrame), selfSize, children.map(allocationTree));
}

/** The largest first; what has the same name is one. */
function merged(name: string, own: number, nodes: readonly StackNode[]): StackNode {
  const byName = new Map<string, StackNode>();
  for (const node of nodes) {
    const same = byName.get(node.name);
    if (node.value > 0) byName.set(node.name, same === undefined ? node : merged(node.name, same.value + node.value - sum(same.children) - sum(node.children), [...same.children, ...node.children]));
  }
  const children = [...byName.values()].sort((a, b) => b.value - a.value);
  return { name, value: own + sum(children), children };
}

function sum(nodes: readonly StackNode[]): number {
  return nodes.reduce((total, { value }) => total + value, 0);
}

function nameOf({ functionName, url, lineNumber: line, columnNumber: column }: CallFrame): string {
  return frameText({ functionName, url, line, column }, "name");
}

function headInSources(node: RawHeapNode): RawHeapNode {
  return { ...node, callFrame: inSources(node.callFrame), children: node.children.map(headInSources) };
}

/** A frame as tools show it that know no source maps. */
function inSources(frame: CallFrame): CallFrame {
  const { functionName, url, lineNumber: line, columnNumber: column } = frame;
  if (taskOfUrl(url) !== undefined) return { ...frame, functionName: frameText({ functionName, url, line, column }, "name") };
  const at = originOf(url, line, column);
  return { ...frame, url: isAbsolute(at.path) ? pathToFileURL(at.path).href : at.path, lineNumber: at.line, columnNumber: at.column };
}
