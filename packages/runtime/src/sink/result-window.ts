/**
 * How much of what a task has sent to the program is still on its way there. A sink that finds the window full waits until the JobMaster says that the
 * client has taken something; so neither keeps more than the windows of all tasks. One per task.
 */
export class ResultWindow {
  readonly #limitBytes: number;
  #onItsWay = 0;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  /** @param limitBytes infinite under a JobMaster that does not say what was taken */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** So much was sent. @returns what has to be waited for before more is sent; nothing while there is room */
  sent(bytes: number): Promise<void> | undefined {
    this.#onItsWay += bytes;
    if (this.#onItsWay < this.#limitBytes) return undefined;
    if (this.#room === undefined) {
      let resolve!: () => void;
      const promise = new Promise<void>((done) => (resolve = done));
      this.#room = { promise, resolve };
    }
    return this.#room.promise;
  }

  taken(bytes: number): void {
    this.#onItsWay -= bytes;
    if (this.#onItsWay >= this.#limitBytes) return;
    this.#room?.resolve();
    this.#room = undefined;
  }
}
