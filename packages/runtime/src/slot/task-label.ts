let current: string | undefined;

/** The task whose code runs on this thread right now, as `name (2/4)`; `undefined` outside of any. For labelling what user code logs. */
export function currentTaskLabel(): string | undefined {
  return current;
}

/** For the slot's loop only. */
export function setCurrentTaskLabel(label: string | undefined): void {
  current = label;
}
