import { MillraceError, type Sink, type SinkWriter, type SinkWriterContext } from "@millrace/core";

/** The part of a Node `Writable` that is used. */
export interface NodeWritable<T> {
  write(chunk: T): boolean;
  once(event: "drain" | "finish" | "close" | "error", listener: (...values: any[]) => void): unknown;
  removeListener(event: string, listener: (...values: any[]) => void): unknown;
  end(): unknown;
}
/** The part of a Web `WritableStream` that is used. */
export interface WebWritable<T> {
  getWriter(): { write(chunk: T): Promise<void>; close(): Promise<void>; releaseLock(): void; readonly ready: Promise<unknown> };
}
/** A stream, or a function that opens one per subtask. */
export type WritableTarget<T> = NodeWritable<T> | WebWritable<T> | ((context: SinkWriterContext) => NodeWritable<T> | WebWritable<T>);

/**
 * Writes records to a Node or Web stream, waiting when it is full. The stream is ended when the input ends, and left open after a failure.
 * At least once: records since the last checkpoint come again after a failure.
 */
export class WritableSink<T> implements Sink<T> {
  readonly description: string = "Writable";
  /** Public when a function, for the fingerprint. */
  readonly open: ((context: SinkWriterContext) => NodeWritable<T> | WebWritable<T>) | undefined;
  readonly #target: WritableTarget<T>;

  constructor(target: WritableTarget<T>) {
    if (typeof target !== "function") requireWritable(target);
    this.open = typeof target === "function" ? target : undefined;
    this.#target = target;
  }

  createWriter(context: SinkWriterContext): SinkWriter<T> {
    const target = this.#target;
    const stream = requireWritable(typeof target === "function" ? target(context) : target);
    return isWeb(stream) ? new WebWriter<T>(stream) : new NodeWriter<T>(stream);
  }
}

class WebWriter<T> implements SinkWriter<T> {
  readonly #writer: ReturnType<WebWritable<T>["getWriter"]>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(stream: WebWritable<T>) {
    this.#writer = stream.getWriter();
  }
  async write(value: T): Promise<void> {
    await this.#writer.ready;
    this.#last = this.#writer.write(value);
    // Its failure is reported by the next `ready` or flush; nobody may wait for this promise before that.
    this.#last.catch(() => {});
  }
  async flush(endOfInput: boolean): Promise<void> {
    await this.#last;
    if (endOfInput) await this.#writer.close();
  }
  close(): void {
    this.#writer.releaseLock();
  }
}

class NodeWriter<T> implements SinkWriter<T> {
  readonly #stream: NodeWritable<T>;
  #error: unknown;
  readonly #onError = (error: unknown): void => {
    this.#error = error ?? new Error("the stream failed");
  };

  constructor(stream: NodeWritable<T>) {
    this.#stream = stream;
    stream.once("error", this.#onError);
  }
  write(value: T): void | Promise<void> {
    this.#check();
    if (!this.#stream.write(value)) return this.#event("drain");
  }
  async flush(endOfInput: boolean): Promise<void> {
    this.#check();
    if (!endOfInput) return;
    const finished = this.#event("finish");
    this.#stream.end();
    await finished;
  }
  close(): void {
    this.#stream.removeListener("error", this.#onError);
  }

  /** Resolves at the event, rejects when the stream fails or closes before it. */
  #event(name: "drain" | "finish"): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: unknown): void => {
        this.#stream.removeListener(name, onEvent);
        this.#stream.removeListener("close", onClose);
        this.#stream.removeListener("error", onFailure);
        if (error === undefined) resolve();
        else reject(error);
      };
      const onEvent = (): void => done();
      const onClose = (): void => done(this.#error ?? new MillraceError({ code: "WRITABLE_CLOSED", message: "the stream was closed while the sink was writing to it", hint: "leave ending the stream to the sink" }));
      const onFailure = (error: unknown): void => done(error);
      this.#stream.once(name, onEvent);
      this.#stream.once("close", onClose);
      this.#stream.once("error", onFailure);
    });
  }
  #check(): void {
    if (this.#error !== undefined) throw this.#error;
  }
}

function isWeb<T>(stream: NodeWritable<T> | WebWritable<T>): stream is WebWritable<T> {
  return typeof (stream as Partial<WebWritable<T>>).getWriter === "function";
}

function requireWritable<T>(stream: NodeWritable<T> | WebWritable<T>): NodeWritable<T> | WebWritable<T> {
  const found = stream as (Partial<NodeWritable<T>> & Partial<WebWritable<T>>) | undefined;
  if (typeof found?.getWriter === "function" || typeof found?.write === "function") return stream;
  throw new MillraceError({ code: "SINK_INVALID", message: "pipeTo was given something that is not a writable stream", hint: "pass a Node Writable, a Web WritableStream, or a function that opens one" });
}
