import { MillraceError } from "@millrace/core";
import { stableHash } from "./stable-hash.js";
import type { StreamNode } from "./stream-graph.js";

/**
 * Gives every operator its id, 32 hex digits: the name its state goes by in checkpoints.
 *
 * - With a `uidHash`: that, whatever else is there.
 * - With a `uid`: the hash of that text, and nothing else (the same id Flink computes).
 * - Without: the hash of the operator's kind and name, and of the ids, input indexes and side outputs of what it reads (the inputs of a union in no
 *   particular order). Operators equal in all of that are numbered in program order. So adding, removing or reordering operators elsewhere changes no
 *   id; renaming an operator or changing what is upstream of it does, and so does adding an equal twin in front of it: set a `uid` where state must survive that.
 *   Parallelism, options, functions, partitioning and everything downstream are not part of it.
 *
 * Flink: StreamGraphHasherV2, which numbers all operators in order instead of naming them.
 * @param nodes every node after the nodes it reads
 * @throws `DUPLICATE_UID` when two operators have the same `uid`, or a `uidHash` is the id of another operator
 */
export function assignOperatorIds(nodes: readonly StreamNode[]): ReadonlyMap<number, string> {
  const ids = new Map<number, string>();
  const twins = new Map<string, number>();
  const owners = new Map<string, StreamNode>();
  for (const node of nodes) {
    if (node.uid !== undefined) claimUid(owners, node, node.uid);
    const given = node.uidHash ?? (node.uid === undefined ? undefined : stableHash(node.uid));
    if (given !== undefined) {
      ids.set(node.id, given);
      continue;
    }
    const structure = structureOf(node, ids);
    const ordinal = twins.get(structure) ?? 0;
    twins.set(structure, ordinal + 1);
    ids.set(node.id, stableHash(`${ordinal}\n${structure}`));
  }
  checkHashes(nodes, ids);
  return ids;
}

function checkHashes(nodes: readonly StreamNode[], ids: ReadonlyMap<number, string>): void {
  for (const node of nodes) {
    const other = node.uidHash === undefined ? undefined : nodes.find((candidate) => candidate !== node && ids.get(candidate.id) === node.uidHash);
    if (other === undefined) continue;
    throw new MillraceError({
      code: "DUPLICATE_UID", message: `the operators "${other.name}" and "${node.name}" both have the id ${node.uidHash}, which setUidHash gives to "${node.name}"`,
      hint: "one id names the state of one operator", location: { operator: node.name },
    });
  }
}

function structureOf(node: StreamNode, ids: ReadonlyMap<number, string>): string {
  const inputs = node.inputs.map((edge) => [edge.inputIndex, ids.get(edge.source.id), edge.sideOutput?.id ?? null]);
  return JSON.stringify([node.spec.type, node.name, inputs.map((input) => JSON.stringify(input)).sort()]);
}

function claimUid(owners: Map<string, StreamNode>, node: StreamNode, uid: string): void {
  const other = owners.get(uid);
  if (other !== undefined) {
    throw new MillraceError({
      code: "DUPLICATE_UID",
      message: `the operators "${other.name}" and "${node.name}" both have the uid "${uid}"`,
      hint: "give each operator a uid of its own: it names the operator's state",
      location: { operator: node.name },
    });
  }
  owners.set(uid, node);
}
