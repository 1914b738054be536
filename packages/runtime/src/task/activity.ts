/**
 * Something a task does besides processing its input: opening, a checkpoint, finishing. Yields a promise to wait for it, `undefined` to go on in the
 * task's next turn; nothing else of the task runs meanwhile but mails.
 */
export type Activity = Generator<Promise<unknown> | undefined, void, any>;

/** Yields what a call returned if it is a promise. */
export function* settled(result: unknown): Activity {
  if (result instanceof Promise) yield result;
}
