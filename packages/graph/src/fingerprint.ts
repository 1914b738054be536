import { MillraceError } from "@millrace/core";
import type { ChainedOperator, JobGraph, JobVertex } from "./job-graph.js";
import { stableHash } from "./stable-hash.js";

/**
 * Hash over what two runs of a job's module must agree on: the operators in program order with their ids, names, kinds and signatures.
 *
 * Parallelism and chaining are not part of it. Values captured by closures cannot be: two runs that differ only there are not told apart.
 */
export function fingerprintOf(vertices: readonly JobVertex[]): string {
  return stableHash(JSON.stringify(inProgramOrder(vertices).map((o) => [o.nodeId, o.id, o.uid ?? null, o.name, o.type, o.keyed, o.numberOfInputs, o.signature ?? null])));
}

/**
 * Compares the plan with what a slot captured by running the module again.
 *
 * @throws `JOB_NOT_DETERMINISTIC`, naming the first operator that differs and in what
 */
export function compareFingerprints(planned: JobGraph, captured: JobGraph): void {
  if (planned.fingerprint === captured.fingerprint) return;
  const before = inProgramOrder(planned.vertices);
  const after = inProgramOrder(captured.vertices);
  for (let i = 0; i < Math.max(before.length, after.length); i++) {
    const difference = differenceOf(before[i], after[i]);
    if (difference !== undefined) throw notDeterministic(`operator ${i + 1} ("${(before[i] ?? after[i])!.name}") differs: ${difference}`, before[i] ?? after[i]);
  }
  throw notDeterministic("its plan was made by another version of Millrace", undefined);
}

function inProgramOrder(vertices: readonly JobVertex[]): ChainedOperator[] {
  return vertices.flatMap((vertex) => vertex.operators).sort((a, b) => a.nodeId - b.nodeId);
}

function differenceOf(planned: ChainedOperator | undefined, captured: ChainedOperator | undefined): string | undefined {
  if (captured === undefined) return "it was planned, and is missing in this run";
  if (planned === undefined) return "it was not planned, and is there in this run";
  const changed = (what: string, a: unknown, b: unknown): string | undefined => (a === b ? undefined : `its ${what} was planned as ${JSON.stringify(a) ?? "none"} and is ${JSON.stringify(b) ?? "none"} in this run`);
  const plain =
    changed("kind", planned.type, captured.type) ?? changed("name", planned.name, captured.name) ?? changed("uid", planned.uid, captured.uid) ??
    changed("number of inputs", planned.numberOfInputs, captured.numberOfInputs) ?? (planned.keyed === captured.keyed ? undefined : "it is keyed in only one of the runs");
  if (plain !== undefined) return plain;
  const a = planned.signature;
  const b = captured.signature;
  if (a !== undefined && b !== undefined) {
    const place = [...new Set([...Object.keys(a.functions), ...Object.keys(b.functions)])].find((key) => a.functions[key] !== b.functions[key]);
    if (place !== undefined) return `the source text of its function "${place}"`;
    if (a.options !== b.options) return "the values of its options";
    if (a.types !== b.types) return "its declared type";
    if (a.inputs !== b.inputs) return "what it reads";
  }
  return planned.id === captured.id && planned.nodeId === captured.nodeId ? undefined : "its place in the program";
}

function notDeterministic(message: string, operator: ChainedOperator | undefined): MillraceError {
  return new MillraceError({
    code: "JOB_NOT_DETERMINISTIC",
    message: `the job is not deterministic: ${message}`,
    hint: 'the module must build the same graph each time it runs: fetch and compute what changes in `await env.once("name", …)`',
    ...(operator === undefined ? {} : { location: { operator: operator.name, operatorId: operator.id } }),
  });
}
