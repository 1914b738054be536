import type { KeyedState, StateDescriptor } from "@millrace/core";

/** A descriptor like `descriptor` under another name, so that states of triggers, windows and keys never share one. */
export function prefixedDescriptor<D extends StateDescriptor<KeyedState>>(prefix: string, descriptor: D): D {
  return Object.create(descriptor, { name: { value: `${prefix}/${descriptor.name}`, enumerable: true } }) as D;
}
