import protobuf from "protobufjs";
import type { IParserResult, Root, Type } from "protobufjs";
import "protobufjs/ext/descriptor.js";
import { MillraceError, nearest } from "@millrace/core";
import { fieldsOf } from "./message-fields.js";

/** Where a message type is defined: the text of a `.proto` file, or a compiled set of descriptors. */
export type ProtobufSource =
  /** `imports` are the texts of what it imports, by the names in its `import` lines; Google's well-known types are there. */
  | { readonly proto: string; readonly imports?: Readonly<Record<string, string>> }
  /** What `protoc --include_imports --descriptor_set_out` writes. */
  | { readonly descriptor: Uint8Array };

/** @throws `FORMAT_SCHEMA_INVALID` for text that is no definition, imports that are missing, a message that is not there, and one that cannot be read here */
export function messageType(source: ProtobufSource, message: string): Type {
  const root = "proto" in source ? parse(source.proto, source.imports ?? {}) : fromDescriptor(source.descriptor);
  try {
    root.resolveAll();
  } catch (cause) {
    throw invalid(`it does not resolve: ${(cause as Error).message}`, undefined, cause);
  }
  const names = messagesOf(root);
  const found = names.get(message.replace(/^\./, ""));
  if (found !== undefined) {
    checkMaps(found, new Set());
    return found;
  }
  const similar = nearest(message, [...names.keys()]);
  throw invalid(`it has no message "${message}"`, similar === undefined ? `it has ${[...names.keys()].join(", ")}` : `did you mean "${similar}"?`);
}

function parse(text: string, imports: Readonly<Record<string, string>>): Root {
  const root = new protobuf.Root();
  const done = new Set<string>();
  const add = (name: string, content: string): void => {
    for (const imported of importsOf(parseFile(name, content, root))) {
      if (done.has(imported)) continue;
      done.add(imported);
      const given = imports[imported];
      const wellKnown = protobuf.common.get(imported);
      if (given !== undefined) add(`"${imported}"`, given);
      else if (wellKnown !== null) root.addJSON(wellKnown.nested ?? {});
      else throw invalid(`it imports "${imported}", which is not there`, "give its text in imports, or give a descriptor with all imports");
    }
  };
  add("the definition", text);
  return root;
}

/** Adds what one text defines. @throws `FORMAT_SCHEMA_INVALID` */
export function parseFile(name: string, text: string, root: Root): IParserResult {
  try {
    return protobuf.parse(text, root, { keepCase: true });
  } catch (cause) {
    throw invalid(`${name} cannot be parsed: ${(cause as Error).message}`, undefined, cause);
  }
}

export function importsOf({ imports, weakImports }: IParserResult): readonly string[] {
  return [...(imports ?? []), ...(weakImports ?? [])];
}

/** Whether everybody has it: Google's own types. */
export function isWellKnown(imported: string): boolean {
  return protobuf.common.get(imported) !== null;
}

function fromDescriptor(descriptor: Uint8Array): Root {
  try {
    return protobuf.Root.fromDescriptor(descriptor, { keepCase: true });
  } catch (cause) {
    throw invalid(`the descriptor cannot be read: ${(cause as Error).message}`, "it must be a FileDescriptorSet, as protoc --include_imports --descriptor_set_out writes it", cause);
  }
}

function messagesOf(namespace: protobuf.NamespaceBase, found: Map<string, Type> = new Map()): Map<string, Type> {
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Type) found.set(nested.fullName.slice(1), nested);
    if (nested instanceof protobuf.Namespace) messagesOf(nested, found);
  }
  return found;
}

function invalid(why: string, hint?: string, cause?: unknown): MillraceError {
  return new MillraceError({ code: "FORMAT_SCHEMA_INVALID", message: `the Protobuf definition cannot be used: ${why}`, ...(hint === undefined ? {} : { hint }), cause });
}

/** Maps become plain objects, whose keys are text. */
function checkMaps(type: Type, seen: Set<Type>): void {
  if (seen.has(type)) return;
  seen.add(type);
  for (const { name, message, isMap, keyType } of fieldsOf(type)) {
    if (isMap && keyType === "bool") throw new MillraceError({ code: "FORMAT_SCHEMA_INVALID", message: `the map "${type.name}.${name}" has bool as keys, which cannot be read here` });
    if (message !== undefined) checkMaps(message, seen);
  }
}
