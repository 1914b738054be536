import { detachValue } from "@millrace/core";

/** Namespaces of timers as small integers, counted so that names no timer uses any more are forgotten. 0 is the void namespace `""`. */
export class NamespaceNames {
  private readonly ids: Map<string, number> = new Map([["", 0]]);
  private readonly names: string[] = [""];
  private readonly uses: number[] = [1];
  private readonly free: number[] = [];

  /** The id of a name, or -1. */
  find(name: string): number {
    return name === "" ? 0 : (this.ids.get(name) ?? -1);
  }

  /** The id of a name, made when missing, counted once more. */
  acquire(name: string): number {
    if (name === "") return 0;
    let id = this.ids.get(name);
    if (id === undefined) {
      const kept = detachValue(name);
      id = this.free.pop() ?? this.names.length;
      this.ids.set(kept, id);
      this.names[id] = kept;
      this.uses[id] = 0;
    }
    this.uses[id]!++;
    return id;
  }

  release(id: number): void {
    if (id === 0 || --this.uses[id]! > 0) return;
    this.ids.delete(this.names[id]!);
    this.names[id] = "";
    this.free.push(id);
  }

  name(id: number): string {
    return this.names[id]!;
  }
}
