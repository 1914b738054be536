import {
  duration, MillraceError, type Boundedness, type Cancellable, type Connection, type DurationLike, type InputStatus, type ReaderOutput, type Source, type SourceReader, type SourceReaderContext,
  type SourceSplit, type SplitEnumerator, type SplitEnumeratorContext,
} from "@millrace/core";
import { FixedSplitEnumerator, type UnassignedSplits } from "./fixed-split-enumerator.js";
import { LineSplitter } from "./line-splitter.js";
import { SequentialReader, type SplitCursor } from "./split-reader.js";

/** How lines are read from a socket. */
export interface SocketTextOptions {
  /** Default "\n", with which a "\r" before it goes, too. */
  readonly delimiter?: string;
  /** How often to connect again after the connection was refused or lost; -1 without end. Default 0. */
  readonly maxRetries?: number;
  /** Pause before connecting again. Default 500 ms. */
  readonly retryDelay?: DurationLike;
}

/** Lines of text from a TCP server. Ends when the server closes the connection and there are no retries left. Flink: SocketTextStreamFunction. */
export class SocketTextSource implements Source<string, SourceSplit, UnassignedSplits<SourceSplit>> {
  readonly boundedness: Boundedness = "continuous-unbounded";
  readonly description: string = "Socket Stream";
  readonly host: string;
  readonly port: number;
  readonly options: SocketTextOptions;

  /** @throws `SOCKET_ADDRESS_INVALID` */
  constructor(host: string, port: number, options: SocketTextOptions = {}) {
    if (typeof host !== "string" || host === "" || !Number.isInteger(port) || port < 1 || port > 65_535 || options.delimiter === "") {
      throw new MillraceError({ code: "SOCKET_ADDRESS_INVALID", message: `"${String(host)}:${String(port)}" is not an address to read lines from`, hint: "give a host name, a port from 1 to 65535, and a delimiter that is not empty" });
    }
    this.host = host;
    this.port = port;
    this.options = options;
  }

  createEnumerator(context: SplitEnumeratorContext<SourceSplit>, restored: UnassignedSplits<SourceSplit> | undefined): SplitEnumerator<SourceSplit, UnassignedSplits<SourceSplit>> {
    return new FixedSplitEnumerator(context, restored?.splits ?? [{ splitId: `${this.host}:${this.port}` }]);
  }
  createReader(context: SourceReaderContext): SourceReader<string, SourceSplit> {
    return new SequentialReader<string, SourceSplit>(context, (split) => new SocketCursor(context, this, split));
  }
}

/** Lines that wait for the task before the connection is paused. */
const BUFFER = 4096;

class SocketCursor implements SplitCursor<string, SourceSplit> {
  readonly #context: SourceReaderContext;
  readonly #source: SocketTextSource;
  readonly #split: SourceSplit;
  readonly #lines: LineSplitter;
  #retriesLeft: number;
  #connection: Connection | undefined;
  #timer: Cancellable | undefined;
  #buffer: string[] = [];
  #ended = false;
  #failed: unknown;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(context: SourceReaderContext, source: SocketTextSource, split: SourceSplit) {
    this.#context = context;
    this.#source = source;
    this.#split = split;
    this.#lines = new LineSplitter(source.options.delimiter ?? "\n");
    const retries = source.options.maxRetries ?? 0;
    this.#retriesLeft = retries < 0 ? Number.POSITIVE_INFINITY : retries;
    this.#connect();
  }

  poll(output: ReaderOutput<string>): InputStatus {
    if (this.#buffer.length > 0) {
      const batch = this.#buffer;
      this.#buffer = [];
      output.collectBatch(batch, null);
      this.#connection?.resume();
      return "more-available";
    }
    if (this.#failed !== undefined) throw this.#failed;
    return this.#ended ? "end-of-input" : "nothing-available";
  }
  async available(): Promise<void> {
    while (this.#buffer.length === 0 && !this.#ended && this.#failed === undefined && !this.#closed) await new Promise<void>((resolve) => (this.#wake = resolve));
  }
  snapshot(): SourceSplit {
    return this.#split;
  }
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#connection?.close();
    this.#wake?.();
  }

  #connect(): void {
    const { net } = this.#context;
    const { host, port } = this.#source;
    if (net === undefined) {
      this.#failed = new MillraceError({ code: "NET_UNAVAILABLE", message: `there is no network here to reach ${host}:${port}`, hint: "run the job where the environment has one" });
      return;
    }
    net.connect(host, port).then(
      (connection) => this.#connected(connection),
      (error: unknown) => this.#lost(error),
    );
  }

  #connected(connection: Connection): void {
    if (this.#closed) return connection.close();
    this.#connection = connection;
    connection.onData = (bytes) => {
      this.#lines.push(bytes, this.#buffer);
      if (this.#buffer.length >= BUFFER) connection.pause();
      this.#wake?.();
    };
    connection.onClose = (error) => {
      this.#connection = undefined;
      this.#lines.end(this.#buffer);
      this.#lost(error);
    };
  }

  /** Tries again while it may; after that the input ends, or fails with what went wrong. */
  #lost(error: unknown): void {
    if (this.#closed) return;
    if (this.#retriesLeft > 0) {
      this.#retriesLeft--;
      this.#timer = this.#context.clock.setTimer(duration(this.#source.options.retryDelay ?? 500), () => this.#connect());
    } else if (error === undefined) {
      this.#ended = true;
    } else {
      const { host, port } = this.#source;
      this.#failed = new MillraceError({ code: "SOCKET_FAILED", message: `the connection to ${host}:${port} failed: ${String((error as Error).message ?? error)}`, hint: "is the server there? maxRetries connects again", recovery: "restart", cause: error });
    }
    this.#wake?.();
  }
}
