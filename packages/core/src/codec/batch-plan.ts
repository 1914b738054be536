import {
  MAX_SHAPE_DEPTH, MAX_SHAPE_NODES, MAX_TUPLE_LENGTH, NODE_ANY, NODE_BIGINT, NODE_BOOLEAN, NODE_DATE, NODE_INT, NODE_NUMBER, NODE_OBJECT, NODE_STRING, NODE_TUPLE,
} from "./batch-format.js";
import type { ByteReader } from "./byte-reader.js";
import type { ByteWriter } from "./byte-writer.js";
import { corrupt } from "./codec-errors.js";
import { objectKind } from "./value-kinds.js";

/** How records of one shape are taken apart: a tree whose leaves are columns. */
export interface PlanNode {
  readonly kind: number;
  /** Of `NODE_OBJECT`: the field names, in order. */
  readonly keys: readonly string[];
  readonly children: readonly PlanNode[];
}

const leaves: readonly PlanNode[] = [NODE_ANY, NODE_NUMBER, NODE_STRING, NODE_BOOLEAN, NODE_DATE, NODE_BIGINT, NODE_INT].map((kind) => ({ kind, keys: [], children: [] }));
export const ANY_PLAN: PlanNode = leaves[NODE_ANY]!;

/** A column takes a kind when at least this share of its values (null and undefined aside) has it. */
const MAJORITY = 0.8;

/** What a value looks like from outside; equal strings mean the same node kind, keys and length. */
export function outlineOf(value: unknown): string {
  switch (typeof value) {
    case "number": return "n";
    case "string": return "s";
    case "boolean": return "b";
    case "bigint": return BigInt.asIntN(64, value) === value ? "i" : "?";
    case "object": return value === null ? "" : objectOutline(value);
    case "undefined": return "";
    default: return "?";
  }
}

function objectOutline(value: object): string {
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Date.prototype) return "d";
  switch (objectKind(value, prototype)) {
    case "array": {
      const { length } = value as unknown[];
      if (length === 0 || length > MAX_TUPLE_LENGTH) return "?";
      for (let i = 0; i < length; i++) if (!Object.hasOwn(value, i)) return "?";
      return `[${length}`;
    }
    case "plain": {
      const keys = Object.keys(value);
      return keys.length >= MAX_SHAPE_NODES / 4 ? "?" : `{${keys.map((key) => JSON.stringify(key)).join()}`;
    }
    default: return "?";
  }
}

/** A plan for values like these. */
export function planFor(samples: readonly unknown[]): PlanNode {
  return plan(samples, { left: MAX_SHAPE_NODES }, 1);
}

function plan(samples: readonly unknown[], nodes: { left: number }, depth: number): PlanNode {
  nodes.left--;
  const counts = new Map<string, number>();
  const outlines = samples.map(outlineOf);
  let present = 0;
  for (const outline of outlines) {
    if (outline === "") continue;
    present++;
    counts.set(outline, (counts.get(outline) ?? 0) + 1);
  }
  const [outline, count] = [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["", 0]);
  if (count === 0 || count < present * MAJORITY) return ANY_PLAN;
  const like = samples.filter((_, i) => outlines[i] === outline);
  switch (outline[0]) {
    // A root must take everything of its outline, since a record that is not of the shape has no column at all.
    case "n": return leaves[depth > 1 && like.every(isInt) ? NODE_INT : NODE_NUMBER]!;
    case "s": return leaves[NODE_STRING]!;
    case "b": return leaves[NODE_BOOLEAN]!;
    case "d": return leaves[NODE_DATE]!;
    case "i": return leaves[NODE_BIGINT]!;
    case "[": return structure(NODE_TUPLE, like, nodes, depth);
    case "{": return structure(NODE_OBJECT, like, nodes, depth);
    default: return ANY_PLAN;
  }
}

function isInt(value: unknown): boolean {
  return ((value as number) | 0) === value && !Object.is(value, -0);
}

function structure(kind: number, like: readonly unknown[], nodes: { left: number }, depth: number): PlanNode {
  const keys = Object.keys(like[0] as object);
  if (depth >= MAX_SHAPE_DEPTH || keys.length > nodes.left) return ANY_PLAN;
  const children = keys.map((key) => plan(like.map((value) => (value as Record<string, unknown>)[key]), nodes, depth + 1));
  return { kind, keys: kind === NODE_OBJECT ? keys : [], children };
}

/** All nodes, parents before children. */
export function nodesOf(root: PlanNode): PlanNode[] {
  return [root, ...root.children.flatMap(nodesOf)];
}

export function writePlan(w: ByteWriter, node: PlanNode): void {
  w.u8(node.kind);
  if (node.kind < NODE_OBJECT) return;
  w.varuint(node.children.length);
  node.children.forEach((child, i) => {
    if (node.kind === NODE_OBJECT) w.string(node.keys[i]!);
    writePlan(w, child);
  });
}

export function readPlan(r: ByteReader, depth: number = 1): PlanNode {
  const kind = r.u8();
  if (kind < NODE_OBJECT) return leaves[kind]!;
  if (kind > NODE_TUPLE || depth > MAX_SHAPE_DEPTH) throw corrupt("a record shape is malformed", r.position);
  const count = r.count(1);
  if (count > MAX_SHAPE_NODES) throw corrupt("a record shape is too large", r.position);
  const keys: string[] = [];
  const children: PlanNode[] = [];
  for (let i = 0; i < count; i++) {
    if (kind === NODE_OBJECT) keys.push(r.string());
    children.push(readPlan(r, depth + 1));
  }
  return { kind, keys, children };
}
