import { stableHash } from "./stable-hash.js";
import type { ResolvedNode } from "./resolved-graph.js";

/**
 * What two runs of a job's module must agree on for one operator, apart from its id, name and kind; all hashes.
 *
 * Covers the source text of every function that the operator holds (not what those functions have captured: nobody can look into a closure) and the plain values
 * of its options. Independent of parallelism, chaining and slot sharing, which slots take from the JobGraph.
 */
export interface OperatorSignature {
  /** Hash of the source text by the function's place in the operator, e.g. `fn` or `assigner.gap`. */
  readonly functions: Readonly<Record<string, string>>;
  readonly options: string;
  readonly types: string;
  readonly inputs: string;
}

export function operatorSignature(resolved: ResolvedNode): OperatorSignature {
  const { node } = resolved;
  const found: Found = { functions: {}, options: [], seen: new Set(), budget: MAX_VALUES };
  walk(node.spec, "", 0, found);
  node.keySelectors.forEach((selector, index) => walk(selector, `keySelector${index}`, 0, found));
  node.inputs.forEach((edge, index) => {
    if (edge.partitioner.kind === "custom" || edge.partitioner.kind === "hash") walk(edge.partitioner, `partitioner${index}`, 0, found);
  });
  const inputs = resolved.inputs.map((input) => JSON.stringify([input.edge.inputIndex, input.source.operatorId, input.edge.sideOutput?.id ?? null, input.edge.partitioner.kind]));
  return {
    functions: found.functions,
    options: stableHash(found.options.join("\n")),
    types: stableHash(JSON.stringify(node.outputType?.schema ?? null)),
    inputs: stableHash(inputs.join("\n")),
  };
}

/** Bounds on how much of an operator's configuration is looked at: enough for options, not a scan of `fromData`'s records. */
const MAX_DEPTH = 5;
const MAX_ELEMENTS = 32;
const MAX_VALUES = 2000;

interface Found {
  readonly functions: Record<string, string>;
  readonly options: string[];
  readonly seen: Set<object>;
  budget: number;
}

function walk(value: unknown, path: string, depth: number, found: Found): void {
  if (found.budget-- <= 0) return;
  if (typeof value === "function") {
    found.functions[path] = functionHash(value);
  } else if (typeof value !== "object" || value === null) {
    found.options.push(`${path}=${primitiveText(value)}`);
  } else if (!found.seen.has(value)) {
    found.seen.add(value);
    if (value instanceof Date) found.options.push(`${path}=${value.getTime()}`);
    else if (depth < MAX_DEPTH) walkObject(value, path, depth, found);
  }
}

function walkObject(value: object, path: string, depth: number, found: Found): void {
  const at = (key: string): string => (path === "" ? key : `${path}.${key}`);
  if (Array.isArray(value) || ArrayBuffer.isView(value)) {
    const elements = value as unknown as ArrayLike<unknown>;
    found.options.push(`${path}.length=${elements.length}`);
    for (let i = 0; i < Math.min(elements.length, MAX_ELEMENTS); i++) walk(elements[i], at(String(i)), depth + 1, found);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) {
    const { constructor } = value;
    if (typeof constructor === "function") found.functions[at("constructor")] = functionHash(constructor);
  }
  for (const key of Object.keys(value).sort()) {
    const descriptor = Object.getOwnPropertyDescriptor(value, key)!;
    // A getter may do anything; what it would return belongs to no option.
    if ("value" in descriptor) walk(descriptor.value, at(key), depth + 1, found);
  }
}

function primitiveText(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : Object.is(value, -0) ? "-0" : typeof value === "bigint" ? `${value}n` : String(value);
}

const hashes = new WeakMap<object, string>();

/** Hash of a function's text; a class counts with the classes it extends. */
function functionHash(fn: object): string {
  const known = hashes.get(fn);
  if (known !== undefined) return known;
  let text = "";
  for (let f: unknown = fn; typeof f === "function" && f !== Function.prototype; f = Object.getPrototypeOf(f)) text += `${Function.prototype.toString.call(f)}\n`;
  const hash = stableHash(text);
  hashes.set(fn, hash);
  return hash;
}
