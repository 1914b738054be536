import type { JobMetrics, VertexMetrics } from "@millrace/graph";
import { paint } from "./terminal-style.js";

const REDRAW_MS = 250;
const STALE_MS = 1500;
const MAX_VERTICES = 8;
const NEWLINE = 10;
const NO_EVENT_TIME = -8_000_000_000_000_000;
const END_OF_TIME = 9_000_000_000_000_000;

/**
 * A line (and one per vertex) at the bottom of a terminal that says how a job is doing, redrawn at most four times a second and gone at the end.
 * Whatever else is written to the terminal meanwhile comes out above it: `process.stdout` and `process.stderr` are intercepted.
 */
export class StatusLine {
  readonly #read: () => Promise<JobMetrics>;
  readonly #stream: NodeJS.WriteStream;
  readonly #startedMs: number = performance.now();
  #timer: NodeJS.Timeout | undefined;
  /** Writes past the interception. */
  #write: (text: string) => unknown;
  readonly #restores: (() => void)[] = [];
  /** Somebody has written the beginning of a line: the status must not come behind it. */
  #midLine = false;
  #redrawing = false;
  #drawnLines = 0;
  /** The last change of the count, since tasks report more seldom than this draws. */
  #previous: { readonly atMs: number; readonly records: number } | undefined;
  #rate = 0;
  #text: string[] = [];

  constructor(stream: NodeJS.WriteStream, read: () => Promise<JobMetrics>) {
    this.#stream = stream;
    this.#write = (text) => stream.write(text);
    this.#read = read;
  }

  start(): void {
    for (const stream of [process.stdout, process.stderr]) if (stream.isTTY) this.#intercept(stream);
    this.#timer = setInterval(() => void this.#update(), REDRAW_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
    this.#text = [];
    for (const restore of this.#restores.splice(0)) restore();
  }

  #intercept(stream: NodeJS.WriteStream): void {
    const original = stream.write;
    const write = original.bind(stream);
    if (stream === this.#stream) this.#write = write;
    stream.write = ((...args: Parameters<typeof write>) => {
      this.#clear();
      const [chunk] = args as unknown as [string | Uint8Array];
      this.#midLine = typeof chunk === "string" ? !chunk.endsWith("\n") : chunk.at(-1) !== NEWLINE;
      // The line comes back once nothing more is written in this turn.
      if (!this.#redrawing) setImmediate(() => {
        this.#redrawing = false;
        if (this.#timer !== undefined && this.#drawnLines === 0) this.#draw();
      });
      this.#redrawing = true;
      return write(...args);
    }) as typeof stream.write;
    this.#restores.push(() => {
      stream.write = original;
    });
  }

  async #update(): Promise<void> {
    const metrics = await this.#read();
    if (this.#timer === undefined) return;
    const nowMs = performance.now();
    const records = processedRecords(metrics.vertices);
    this.#measure(records, nowMs);
    this.#text = this.#render(metrics, nowMs);
    this.#clear();
    this.#draw();
  }

  #measure(records: number, nowMs: number): void {
    const previous = this.#previous;
    const sinceMs = nowMs - (previous?.atMs ?? this.#startedMs);
    if (records === previous?.records && sinceMs < STALE_MS) return;
    this.#rate = Math.max(0, ((records - (previous?.records ?? 0)) * 1000) / sinceMs);
    this.#previous = { atMs: nowMs, records };
  }

  #render(metrics: JobMetrics, nowMs: number): string[] {
    const seconds = Math.floor((nowMs - this.#startedMs) / 1000);
    const width = Math.max(20, (this.#stream.columns || 80) - 1);
    const parts = [
      metrics.status, `${seconds} s`, `${formatCount(this.#rate)} records/s`, `watermark ${formatWatermark(metrics.vertices)}`,
      ...(metrics.checkpointsCompleted > 0 ? [counted(metrics.checkpointsCompleted, "checkpoint")] : []),
      ...(metrics.restarts > 0 ? [counted(metrics.restarts, "restart")] : []),
    ];
    // Cut before it is coloured: escape sequences have no width.
    const head = parts.join(" · ").slice(0, width).replace(metrics.status, (status) => paint(status === "RUNNING" ? "green" : "yellow", status));
    return [head, ...metrics.vertices.slice(0, MAX_VERTICES).map((vertex) => paint("dim", `  ${renderVertex(vertex)}`.slice(0, width)))];
  }

  #draw(): void {
    if (this.#text.length === 0 || this.#midLine) return;
    this.#write(`${this.#text.join("\n")}\n`);
    this.#drawnLines = this.#text.length;
  }

  #clear(): void {
    if (this.#drawnLines > 0) this.#write(`\u001b[${this.#drawnLines}A\u001b[0J`);
    this.#drawnLines = 0;
  }
}

function renderVertex(vertex: VertexMetrics): string {
  const busy = mean(vertex, "busyTimeMsPerSecond") / 10;
  const backPressured = mean(vertex, "backPressuredTimeMsPerSecond") / 10;
  const load = `busy ${busy.toFixed(0).padStart(3)} %${backPressured >= 1 ? ` backpressured ${backPressured.toFixed(0)} %` : ""}`;
  return `${load}  in ${formatCount(sum(vertex, "numRecordsIn")).padStart(7)}  out ${formatCount(sum(vertex, "numRecordsOut")).padStart(7)}  ${vertex.name} (${vertex.parallelism})`;
}

/** Records that left the sources, which is how far the job has come. */
export function processedRecords(vertices: readonly VertexMetrics[]): number {
  const sources = vertices.filter((vertex) => vertex.name.startsWith("Source: "));
  // The head of a chain counts under its own name; the chain's output may have been filtered, or end in a sink.
  return sources.reduce((total, vertex) => total + sum(vertex, `${vertex.name.split(" -> ")[0]}.numRecordsOut`), 0);
}

function sum(vertex: VertexMetrics, name: string): number {
  return vertex.subtasks.reduce((total, subtask) => total + (subtask[name] ?? 0), 0);
}

function mean(vertex: VertexMetrics, name: string): number {
  return vertex.subtasks.length === 0 ? 0 : sum(vertex, name) / vertex.subtasks.length;
}

/** The slowest watermark of the subtasks that still run. */
export function formatWatermark(vertices: readonly VertexMetrics[]): string {
  const all = vertices.flatMap((vertex) => vertex.subtasks.map((subtask) => subtask["currentOutputWatermark"] ?? NO_EVENT_TIME));
  // A subtask that has finished, a source without a split say, no longer holds anybody back.
  const running = all.filter((ms) => ms < END_OF_TIME);
  if (running.length === 0 && all.length > 0) return "end of input";
  const known = running.filter((ms) => ms > NO_EVENT_TIME);
  if (known.length === 0) return "none yet";
  const slowest = Math.min(...known);
  return Math.abs(slowest) < 8.64e15 ? new Date(slowest).toISOString().replace(/\.\d+Z$/, "Z") : String(slowest);
}

/** 1234 → `1.23 k`. */
export function formatCount(value: number): string {
  if (value < 1000) return value.toFixed(0);
  for (const [limit, unit] of [[1e6, "k"], [1e9, "M"], [1e12, "G"]] as const) {
    if (value < limit) return `${((value / limit) * 1000).toPrecision(3)} ${unit}`;
  }
  return value.toExponential(2);
}

/** 1 → `1 restart`, 2 → `2 restarts`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
