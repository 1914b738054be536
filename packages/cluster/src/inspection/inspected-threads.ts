import { Session } from "node:inspector";

/** A thread of this process that can be asked in V8's inspector protocol. https://chromedevtools.github.io/devtools-protocol/v8/ */
export interface InspectedThread {
  /** Node's number; 0 is the main thread. */
  readonly threadId: number;
  readonly name: string;
  /** Never rejects: `undefined` when the thread refuses, or does not answer in time because native code keeps it. */
  ask<T = unknown>(method: string, params?: object, timeoutMs?: number): Promise<T | undefined>;
  onEvent(method: string, listener: (params: any) => void): void;
}

const ANSWER_TIMEOUT_MS = 5000;

/** Connects to the main thread of this process and to its workers while `look` runs. To be called in a worker. */
export async function inspectThreads<T>(look: (threads: readonly InspectedThread[]) => Promise<T>): Promise<T> {
  const session = new Session();
  session.connectToMainThread();
  // A session does not keep its thread alive.
  const alive = setInterval(() => undefined, 60_000);
  try {
    const main = new MainThread(session);
    const workers = new Map<string, WorkerThread>();
    session.on("NodeWorker.attachedToWorker" as never, ({ params }: { params: { sessionId: string; workerInfo: { title: string } } }) => {
      const title = /^\[worker (\d+)\] ?(.*)$/s.exec(params.workerInfo.title);
      if (title !== null) workers.set(params.sessionId, new WorkerThread(main, params.sessionId, Number(title[1]), title[2]!));
    });
    session.on("NodeWorker.receivedMessageFromWorker" as never, ({ params }: { params: { sessionId: string; message: string } }) => workers.get(params.sessionId)?.receive(params.message));
    session.on("NodeWorker.detachedFromWorker" as never, ({ params }: { params: { sessionId: string } }) => workers.get(params.sessionId)?.end());
    await main.ask("NodeWorker.enable", { waitForDebuggerOnStart: false });
    try {
      return await look([main, ...workers.values()]);
    } finally {
      await main.ask("NodeWorker.disable");
    }
  } finally {
    clearInterval(alive);
    // Whatever it still holds goes on.
    session.disconnect();
  }
}

class MainThread implements InspectedThread {
  readonly threadId = 0;
  readonly name = "";
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  ask<T>(method: string, params: object = {}, timeoutMs = ANSWER_TIMEOUT_MS): Promise<T | undefined> {
    return inTime(timeoutMs, (done) => this.#session.post(method, params, (error: Error | null, result?: object) => done(error === null ? (result as T) : undefined)));
  }

  onEvent(method: string, listener: (params: any) => void): void {
    this.#session.on(method, ({ params }: { params: unknown }) => listener(params));
  }
}

/** Messages to a worker travel inside messages to the main thread. */
class WorkerThread implements InspectedThread {
  readonly threadId: number;
  readonly name: string;
  readonly #main: MainThread;
  readonly #sessionId: string;
  readonly #calls = new Map<number, (result: any) => void>();
  readonly #listeners = new Map<string, (params: unknown) => void>();
  #nextId = 1;
  #ended = false;

  constructor(main: MainThread, sessionId: string, threadId: number, name: string) {
    this.#main = main;
    this.#sessionId = sessionId;
    this.threadId = threadId;
    this.name = name;
  }

  ask<T>(method: string, params: object = {}, timeoutMs = ANSWER_TIMEOUT_MS): Promise<T | undefined> {
    if (this.#ended) return Promise.resolve(undefined);
    const id = this.#nextId++;
    return inTime<T>(timeoutMs, (done) => {
      this.#calls.set(id, done);
      void this.#main.ask("NodeWorker.sendMessageToWorker", { sessionId: this.#sessionId, message: JSON.stringify({ id, method, params }) });
    });
  }

  onEvent(method: string, listener: (params: any) => void): void {
    this.#listeners.set(method, listener);
  }

  receive(text: string): void {
    const { id, result, method, params } = JSON.parse(text) as { id?: number; result?: unknown; method?: string; params?: unknown };
    if (id === undefined) return this.#listeners.get(method ?? "")?.(params);
    this.#calls.get(id)?.(result);
    this.#calls.delete(id);
  }

  /** The thread is over: it answers nothing any more. */
  end(): void {
    this.#ended = true;
    for (const answer of this.#calls.values()) answer(undefined);
    this.#calls.clear();
  }
}

function inTime<T>(timeoutMs: number, start: (done: (result: T | undefined) => void) => void): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), timeoutMs);
    start((result) => {
      clearTimeout(timer);
      resolve(result);
    });
  });
}
