import type { StateDescriptor, StateKind, TypeInformation, TypeSchema } from "@millrace/core";
import type { NamespaceMap } from "./cells.js";
import { Column } from "./column.js";
import { MapColumn } from "./map-column.js";
import type { PayloadShape } from "./payload.js";
import type { StateColumn } from "./state-column.js";
import { StateMap } from "./state-map.js";
import { TtlValue, type TtlPolicy } from "./ttl.js";

/** One keyed state of an operator: what a snapshot says about it, and its column. */
export class StateTable implements PayloadShape {
  readonly name: string;
  readonly kind: StateKind;
  readonly namespaced: boolean;
  ttl: boolean;
  /** What its values are declared to be (list: of an element; map: a map schema). */
  schema: TypeSchema;
  column: StateColumn;
  policy: TtlPolicy | undefined = undefined;
  /** What this run opened it as; `undefined` while it is only carried along from a restored snapshot. */
  handle: unknown = undefined;
  /** Where the incremental cleanup of expired values goes on. */
  sweepRow = 0;

  constructor(name: string, shape: PayloadShape, schema: TypeSchema) {
    this.name = name;
    this.kind = shape.kind;
    this.namespaced = shape.namespaced;
    this.ttl = shape.ttl;
    this.schema = schema;
    this.column = newColumn(shape);
  }
}

/** The column for payloads of a shape. */
export function newColumn({ kind, namespaced, ttl }: PayloadShape): StateColumn {
  return kind === "map" && !namespaced && !ttl ? new MapColumn() : new Column();
}

const ANY: TypeSchema = { kind: "any" };

/** The declared schema of what a descriptor's state holds; "any" where nothing is declared. */
export function schemaOf(descriptor: StateDescriptor): TypeSchema {
  const declared = descriptor as StateDescriptor & {
    readonly type?: TypeInformation;
    readonly elementType?: TypeInformation;
    readonly accumulatorType?: TypeInformation;
    readonly keyType?: TypeInformation;
    readonly valueType?: TypeInformation;
  };
  if (descriptor.kind === "map") {
    return { kind: "map", key: declared.keyType?.schema ?? ANY, value: declared.valueType?.schema ?? ANY };
  }
  return (declared.type ?? declared.elementType ?? declared.accumulatorType)?.schema ?? ANY;
}

/** Removes what has expired from a payload. Returns what is left (the same object when nothing went), or `undefined` when that is nothing. */
export function trimPayload(payload: unknown, policy: TtlPolicy, nowMs: number): unknown {
  if (payload instanceof TtlValue) return policy.isExpired(payload, nowMs) ? undefined : payload;
  if (Array.isArray(payload)) {
    const kept = payload.filter((element) => !policy.isExpired(element as TtlValue, nowMs));
    return kept.length === payload.length ? payload : kept.length === 0 ? undefined : kept;
  }
  if (payload instanceof StateMap) {
    for (const [key, held] of payload.entries()) if (policy.isExpired(held as TtlValue, nowMs)) payload.delete(key);
    return payload.size === 0 ? undefined : payload;
  }
  const namespaces = payload as NamespaceMap;
  for (const [namespace, scoped] of namespaces) {
    const kept = trimPayload(scoped, policy, nowMs);
    if (kept === undefined) namespaces.delete(namespace);
    else if (kept !== scoped) namespaces.set(namespace, kept);
  }
  return namespaces.size === 0 ? undefined : namespaces;
}
