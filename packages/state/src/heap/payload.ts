import { readValue, writeValue, type ByteReader, type ByteWriter, type StateKind } from "@millrace/core";
import type { NamespaceMap } from "./cells.js";
import { StateMap } from "./state-map.js";
import { TtlValue, type TtlPolicy } from "./ttl.js";

/** What a state keeps per key: depends on its kind, and on whether it has namespaces and expiry. */
export interface PayloadShape {
  readonly kind: StateKind;
  readonly namespaced: boolean;
  readonly ttl: boolean;
}

/**
 * Writes a payload, leaving expired parts out. Returns false (and leaves the writer where it was) when nothing is left.
 *
 * Format: namespaced = count, then (namespace, payload) each; list = count, elements; map = count, (key, value) each; otherwise one value.
 * With expiry each element, map value or single value is preceded by its time stamp as a double.
 */
export function writePayload(writer: ByteWriter, payload: unknown, shape: PayloadShape, policy: TtlPolicy | undefined, nowMs: number): boolean {
  if (!shape.namespaced) return writeScoped(writer, payload, shape, policy, nowMs);
  const start = writer.position;
  const namespaces = payload as NamespaceMap;
  writer.varuint(namespaces.size);
  let written = 0;
  for (const [namespace, scoped] of namespaces) {
    const entryStart = writer.position;
    writer.string(namespace);
    if (writeScoped(writer, scoped, shape, policy, nowMs)) written++;
    else writer.position = entryStart;
  }
  if (written === namespaces.size) return true;
  writer.position = start;
  if (written === 0) return false;
  // Some namespaces have expired whole: write again, now that the count is known.
  const live: NamespaceMap = new Map();
  for (const [namespace, scoped] of namespaces) if (!isExpired(scoped, policy, nowMs)) live.set(namespace, scoped);
  return writePayload(writer, live, shape, policy, nowMs);
}

export function readPayload(reader: ByteReader, shape: PayloadShape): unknown {
  if (!shape.namespaced) return readScoped(reader, shape);
  const namespaces: NamespaceMap = new Map();
  for (let left = reader.varuint(); left > 0; left--) {
    const namespace = reader.string();
    namespaces.set(namespace, readScoped(reader, shape));
  }
  return namespaces;
}

/** Whether every part of a payload has expired. */
export function isExpired(payload: unknown, policy: TtlPolicy | undefined, nowMs: number): boolean {
  if (policy === undefined) return false;
  if (payload instanceof TtlValue) return policy.isExpired(payload, nowMs);
  if (Array.isArray(payload)) return payload.every((element) => policy.isExpired(element as TtlValue, nowMs));
  const held = payload instanceof StateMap ? payload.toArray() : (payload as NamespaceMap);
  for (const [, part] of held) if (!isExpired(part, policy, nowMs)) return false;
  return true;
}

function writeScoped(writer: ByteWriter, payload: unknown, shape: PayloadShape, policy: TtlPolicy | undefined, nowMs: number): boolean {
  if (policy !== undefined && isExpired(payload, policy, nowMs)) return false;
  if (shape.kind === "list") {
    const list = policy === undefined ? (payload as unknown[]) : (payload as TtlValue[]).filter((element) => !policy.isExpired(element, nowMs));
    writer.varuint(list.length);
    for (const element of list) writeLeaf(writer, element, shape.ttl);
  } else if (shape.kind === "map") {
    const map = payload as StateMap;
    const entries = map.toArray().filter(([, held]) => policy === undefined || !policy.isExpired(held as TtlValue, nowMs));
    writer.varuint(entries.length);
    for (const [key, held] of entries) {
      writeValue(writer, key);
      writeLeaf(writer, held, shape.ttl);
    }
  } else {
    writeLeaf(writer, payload, shape.ttl);
  }
  return true;
}

function readScoped(reader: ByteReader, shape: PayloadShape): unknown {
  if (shape.kind === "list") {
    const list: unknown[] = [];
    for (let left = reader.varuint(); left > 0; left--) list.push(readLeaf(reader, shape.ttl));
    return list;
  }
  if (shape.kind === "map") {
    const map = new StateMap();
    for (let left = reader.varuint(); left > 0; left--) {
      const key = readValue(reader);
      map.set(key, readLeaf(reader, shape.ttl));
    }
    return map;
  }
  return readLeaf(reader, shape.ttl);
}

function writeLeaf(writer: ByteWriter, value: unknown, ttl: boolean): void {
  if (ttl) {
    writer.f64((value as TtlValue).atMs);
    writeValue(writer, (value as TtlValue).value);
  } else {
    writeValue(writer, value);
  }
}

function readLeaf(reader: ByteReader, ttl: boolean): unknown {
  if (!ttl) return readValue(reader);
  const atMs = reader.f64();
  return new TtlValue(readValue(reader), atMs);
}

/** Changes every value (list element, map key and value) of a payload: how state moves to another type, or gets or loses expiry. */
export function mapPayload(
  payload: unknown,
  shape: PayloadShape,
  leaf: (value: unknown) => unknown,
  key: (key: unknown) => unknown = (same) => same,
): unknown {
  if (payload instanceof StateMap) {
    const mapped = new StateMap();
    for (const [k, held] of payload.toArray()) mapped.set(key(k), leaf(held));
    return mapped;
  }
  if (shape.kind === "list" && Array.isArray(payload)) return payload.map(leaf);
  return leaf(payload);
}
