import { MillraceError, type AggregateFunction, type KeyedState, type NamespacedState, type ReduceFn, type StateDescriptor } from "@millrace/core";
import type { NamespaceCell } from "./cells.js";
import { StateMap } from "./state-map.js";
import { TtlValue } from "./ttl.js";

/** Joins the payloads of two namespaces; may change and return `target`, never `source`. */
export type PayloadMerge = (target: unknown, source: unknown) => unknown;

/** State per key and namespace, on one shared handle that follows {@link in}. */
export class HeapNamespacedState<S extends KeyedState> implements NamespacedState<S> {
  private readonly cell: NamespaceCell;
  private readonly handle: S;
  private readonly merge: PayloadMerge;

  constructor(cell: NamespaceCell, handle: S, merge: PayloadMerge) {
    this.cell = cell;
    this.handle = handle;
    this.merge = merge;
  }

  in(namespace: string): S {
    this.cell.namespace = namespace;
    return this.handle;
  }

  mergeNamespaces(target: string, sources: readonly string[]): void {
    const cell = this.cell;
    const before = cell.namespace;
    const payloads: unknown[] = [];
    for (const source of sources) {
      if (source === target) continue;
      cell.namespace = source;
      const payload = cell.read();
      if (payload === undefined) continue;
      payloads.push(payload);
      cell.remove();
    }
    if (payloads.length > 0) {
      cell.namespace = target;
      let merged = cell.read();
      for (const payload of payloads) merged = merged === undefined ? payload : this.merge(merged, payload);
      cell.write(merged);
    }
    cell.namespace = before;
  }
}

/** How the payloads of a state are merged: lists are joined, maps united, accumulators merged; of single values the target's (else the first source's) stays. */
export function payloadMerge(descriptor: StateDescriptor, ttl: boolean): PayloadMerge {
  switch (descriptor.kind) {
    case "list":
      return (target, source) => {
        for (const element of source as unknown[]) (target as unknown[]).push(element);
        return target;
      };
    case "map":
      return (target, source) => {
        for (const [key, value] of (source as StateMap).entries()) (target as StateMap).set(key, value);
        return target;
      };
    case "reducing":
      return onValues((descriptor as unknown as { readonly reduce: ReduceFn<unknown> }).reduce, ttl);
    case "aggregating":
      return onValues(accumulatorMerge(descriptor), ttl);
    default:
      return (target) => target;
  }
}

function accumulatorMerge(descriptor: StateDescriptor): PayloadMerge {
  const aggregate = (descriptor as unknown as { readonly aggregate: AggregateFunction<unknown, unknown, unknown> }).aggregate;
  return (target, source) => {
    if (aggregate.merge === undefined) throw mergeMissing(descriptor.name);
    return aggregate.merge(target, source);
  };
}

function onValues(merge: PayloadMerge, ttl: boolean): PayloadMerge {
  if (!ttl) return merge;
  return (target, source) => {
    const [a, b] = [target as TtlValue, source as TtlValue];
    return new TtlValue(merge(a.value, b.value), Math.max(a.atMs, b.atMs));
  };
}

function mergeMissing(name: string): MillraceError {
  return new MillraceError({
    code: "STATE_MERGE_MISSING",
    message: `aggregating state "${name}" must merge two accumulators, but its aggregate function has no merge()`,
    hint: "Add merge(a, b) to the aggregate function: merging windows (sessions) need it.",
  });
}
