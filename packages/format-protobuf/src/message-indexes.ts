import protobuf from "protobufjs";
import type { NamespaceBase, Type } from "protobufjs";
import { parseFile } from "./protobuf-types.js";

/** Where a message stands in the text that defines it, from the outer to the inner one; `undefined` when another text defines it. */
export function indexesOf(proto: string, message: string): readonly number[] | undefined {
  const name = message.replace(/^\./, "");
  const find = (within: NamespaceBase): readonly number[] | undefined => {
    for (const [index, type] of messagesIn(within).entries()) {
      const fullName = type.fullName.slice(1);
      if (fullName === name) return [index];
      const inner = name.startsWith(`${fullName}.`) ? find(type) : undefined;
      if (inner !== undefined) return [index, ...inner];
    }
    return undefined;
  };
  return find(packageOf(proto));
}

/** The full name of the message there. */
export function nameAt(proto: string, indexes: readonly number[]): string | undefined {
  let at: NamespaceBase | undefined = packageOf(proto);
  for (const index of indexes) at = at === undefined ? undefined : messagesIn(at)[index];
  return at?.fullName.slice(1);
}

/** Of this text alone, for others may define messages of the same package. */
function packageOf(proto: string): NamespaceBase {
  const root = new protobuf.Root();
  const { package: name } = parseFile("the definition", proto, root);
  return name === undefined ? root : (root.lookup(name) as NamespaceBase);
}

function messagesIn(namespace: NamespaceBase): readonly Type[] {
  return namespace.nestedArray.filter((nested) => nested instanceof protobuf.Type);
}
