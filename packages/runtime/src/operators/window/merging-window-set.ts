import type { Window, WindowAssigner, WindowCodec } from "@millrace/core";

/** A live window and the namespace that holds its contents; contents do not move when windows merge into one of them. */
export type WindowEntry = readonly [windowId: string, stateWindowId: string];

/** Called when windows became one: trigger and contents of `merged` go to `result`, whose contents are at `stateWindowId`. */
export type MergeWindows<W> = (result: W, merged: readonly W[], stateWindowId: string, mergedStateWindowIds: readonly string[]) => void;

/**
 * The live windows of one key under a merging assigner, and where the contents of each are.
 *
 * When windows merge, the contents of one of them stay where they are and the others' are moved there. Flink: MergingWindowSet.
 */
export class MergingWindowSet<W extends Window> {
  readonly #assigner: WindowAssigner<unknown, W>;
  readonly #codec: WindowCodec<W>;
  /** Window id to state window id, in order of arrival. */
  readonly #mapping: Map<string, string>;
  #changed = false;

  constructor(assigner: WindowAssigner<unknown, W>, entries: readonly WindowEntry[]) {
    this.#assigner = assigner;
    this.#codec = assigner.windowCodec;
    this.#mapping = new Map(entries);
  }

  get changed(): boolean {
    return this.#changed;
  }

  entries(): WindowEntry[] {
    return [...this.#mapping];
  }

  /** Namespace of a window's contents; `undefined` when the window is not live. */
  stateWindowOf(windowId: string): string | undefined {
    return this.#mapping.get(windowId);
  }

  retire(windowId: string): void {
    if (this.#mapping.delete(windowId)) this.#changed = true;
  }

  /** Adds a window, merging as the assigner says; returns the live window that covers it now. */
  add(window: W, merge: MergeWindows<W>): W {
    const windowId = this.#codec.encode(window);
    const windows = [...this.#mapping.keys()].map((id) => this.#codec.decode(id));
    if (!this.#mapping.has(windowId)) windows.push(window);
    const groups: { readonly result: W; readonly members: readonly W[] }[] = [];
    this.#assigner.mergeWindows!(windows, (members, result) => groups.push({ result, members }));

    let resultWindow = window;
    let mergedNewWindow = false;
    for (const { result, members } of groups) {
      const memberIds = members.map((member) => this.#codec.encode(member));
      const otherIds = memberIds.filter((id) => id !== windowId);
      if (otherIds.length < memberIds.length) {
        mergedNewWindow = true;
        resultWindow = result;
      }
      this.#mergeGroup(result, otherIds, merge);
    }
    if (!mergedNewWindow && !this.#mapping.has(windowId)) {
      this.#mapping.set(windowId, windowId);
      this.#changed = true;
    }
    return resultWindow;
  }

  /** `memberIds` are the windows of the group that were live before. */
  #mergeGroup(result: W, memberIds: readonly string[], merge: MergeWindows<W>): void {
    const resultId = this.#codec.encode(result);
    const stateWindowId = this.#mapping.get(memberIds[0]!)!;
    const otherStateWindowIds = memberIds.slice(1).map((id) => this.#mapping.get(id)!);
    // A new window inside a live one changes nothing.
    if (memberIds.length === 1 && memberIds[0] === resultId) return;
    for (const id of memberIds) this.#mapping.delete(id);
    this.#mapping.set(resultId, stateWindowId);
    this.#changed = true;
    merge(result, memberIds.map((id) => this.#codec.decode(id)), stateWindowId, otherStateWindowIds);
  }
}
