import { isMillraceError, MillraceError } from "@millrace/core";
import type { JobVertex } from "@millrace/graph";
import type { ChainNode } from "./chain-node.js";

/** Which line of a generated function belongs to which operator. Calls of user code stand on lines of their own, so a stack trace names the operator. */
export class GeneratedSources {
  readonly #byUrl = new Map<string, readonly (ChainNode | undefined)[]>();

  add(url: string, nodeOfLine: readonly (ChainNode | undefined)[]): void {
    this.#byUrl.set(url, nodeOfLine);
  }

  /** The operator that the innermost generated frame of a stack belongs to. */
  locate(stack: string): ChainNode | undefined {
    for (const match of stack.matchAll(/(millrace-chain-[\w.-]+):(\d+):\d+/g)) {
      const node = this.#byUrl.get(match[1]!)?.[Number(match[2]) - 1];
      if (node !== undefined) return node;
    }
    return undefined;
  }
}

/** Blames an error on the operator that was called, or on one behind it if its stack says so. */
export function blame(thrown: unknown, called: ChainNode, sources: GeneratedSources, subtask: number): MillraceError {
  const stack = (thrown as { readonly stack?: unknown } | null | undefined)?.stack;
  const inner = typeof stack === "string" ? sources.locate(stack) : undefined;
  const node = inner !== undefined && inner.index > called.index ? inner : called;
  return locateError(thrown, node.name, node.plan.id, subtask);
}

/**
 * Says where an error happened. An error with a code keeps it; anything else becomes `USER_FUNCTION_FAILED` with the thrown value as cause.
 */
export function locateError(thrown: unknown, operatorName: string, operatorId: string, subtask: number): MillraceError {
  if (isMillraceError(thrown)) {
    if (thrown.location.operator !== undefined && thrown.location.subtask !== undefined) return thrown;
    return new MillraceError({
      code: thrown.code,
      message: thrown.message,
      ...(thrown.hint === undefined ? {} : { hint: thrown.hint }),
      recovery: thrown.recovery,
      cause: thrown.cause ?? thrown,
      location: { operator: operatorName, operatorId, subtask, ...thrown.location },
    });
  }
  const text = thrown instanceof Error || (typeof thrown === "object" && thrown !== null && "message" in thrown) ? String((thrown as Error).message) : String(thrown);
  const early = thrown instanceof ReferenceError ? /^Cannot access '(.+)' before initialization$/.exec(text) : null;
  return new MillraceError({
    code: "USER_FUNCTION_FAILED",
    message: `operator "${operatorName}" (subtask ${subtask}) failed: ${text}`,
    // The line that would define it never runs while the job does, however often the job is tried.
    recovery: early === null ? "restart" : "fail",
    ...(early === null ? {} : { hint: `functions run before the lines after execute(): define "${early[1]!}" before it` }),
    cause: thrown,
    location: { operator: operatorName, operatorId, subtask },
  });
}

/** An error of a task, with the operator whose code threw it; the chain is named where no trace leads to one, rather than a wrong one. */
export function locateInTask(thrown: unknown, vertex: Pick<JobVertex, "name" | "operators">, subtaskIndex: number, sources: GeneratedSources | undefined): MillraceError {
  const stack = (thrown as { readonly stack?: unknown } | undefined)?.stack;
  const node = typeof stack === "string" ? sources?.locate(stack) : undefined;
  return locateError(thrown, node?.name ?? vertex.name, node?.plan.id ?? vertex.operators[0]!.id, subtaskIndex);
}
