import type { JobMetrics, VertexMetrics } from "@millrace/graph";
import { paint } from "./terminal-style.js";

const REDRAW_MS = 250;
const NO_EVENT_TIME = -8_000_000_000_000_000;
const END_OF_TIME = 9_000_000_000_000_000;

/**
 * A line (and one per vertex) at the bottom of a terminal that says how a job is doing, redrawn at most four times a second and gone at the end.
 * Everything else that is written while it stands goes through {@link above}.
 */
export class StatusLine {
  readonly #read: () => Promise<JobMetrics>;
  readonly #stream: NodeJS.WriteStream;
  readonly #startedMs: number = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #drawnLines = 0;
  #previous: { readonly atMs: number; readonly records: number } | undefined;
  #text: string[] = [];

  constructor(stream: NodeJS.WriteStream, read: () => Promise<JobMetrics>) {
    this.#stream = stream;
    this.#read = read;
  }

  start(): void {
    this.#timer = setInterval(() => void this.#update(), REDRAW_MS);
    this.#timer.unref();
  }

  /** Clears the line, lets `write` write, and draws the line again. */
  above(write: () => void): void {
    this.#clear();
    write();
    this.#draw();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
    this.#text = [];
  }

  async #update(): Promise<void> {
    const metrics = await this.#read();
    if (this.#timer === undefined) return;
    const nowMs = performance.now();
    const records = processedRecords(metrics.vertices);
    const rate = this.#previous === undefined ? 0 : ((records - this.#previous.records) * 1000) / (nowMs - this.#previous.atMs);
    this.#previous = { atMs: nowMs, records };
    this.#text = this.#render(metrics, Math.max(0, rate), nowMs);
    this.#clear();
    this.#draw();
  }

  #render(metrics: JobMetrics, rate: number, nowMs: number): string[] {
    const seconds = Math.floor((nowMs - this.#startedMs) / 1000);
    const parts = [
      paint(metrics.status === "RUNNING" ? "green" : "yellow", metrics.status), `${seconds} s`, `${formatCount(rate)} records/s`,
      `watermark ${formatWatermark(metrics.vertices)}`,
      ...(metrics.checkpointsCompleted > 0 ? [`${metrics.checkpointsCompleted} checkpoints`] : []),
      ...(metrics.restarts > 0 ? [paint("yellow", `${metrics.restarts} restarts`)] : []),
    ];
    const width = Math.max(20, (this.#stream.columns ?? 80) - 1);
    const vertices = metrics.vertices.slice(0, 8).map((vertex) => `  ${renderVertex(vertex)}`.slice(0, width));
    return [parts.join(" · "), ...vertices];
  }

  #draw(): void {
    if (this.#text.length === 0) return;
    this.#stream.write(`${this.#text.join("\n")}\n`);
    this.#drawnLines = this.#text.length;
  }

  #clear(): void {
    if (this.#drawnLines > 0) this.#stream.write(`\u001b[${this.#drawnLines}A\u001b[0J`);
    this.#drawnLines = 0;
  }
}

function renderVertex(vertex: VertexMetrics): string {
  const busy = mean(vertex, "busyTimeMsPerSecond") / 10;
  const backPressured = mean(vertex, "backPressuredTimeMsPerSecond") / 10;
  const load = `busy ${busy.toFixed(0).padStart(3)} %${backPressured >= 1 ? paint("yellow", ` backpressured ${backPressured.toFixed(0)} %`) : ""}`;
  return `${load}  in ${formatCount(sum(vertex, "numRecordsIn")).padStart(7)}  out ${formatCount(sum(vertex, "numRecordsOut")).padStart(7)}  ${vertex.name} (${vertex.parallelism})`;
}

/** Records that left the sources, which is how far the job has come. */
export function processedRecords(vertices: readonly VertexMetrics[]): number {
  const sources = vertices.filter((vertex) => sum(vertex, "numRecordsIn") === 0 || vertex.name.startsWith("Source"));
  return sources.reduce((total, vertex) => total + Math.max(sum(vertex, "numRecordsOut"), sum(vertex, "numRecordsIn")), 0);
}

function sum(vertex: VertexMetrics, name: string): number {
  return vertex.subtasks.reduce((total, subtask) => total + (subtask[name] ?? 0), 0);
}

function mean(vertex: VertexMetrics, name: string): number {
  return vertex.subtasks.length === 0 ? 0 : sum(vertex, name) / vertex.subtasks.length;
}

function formatWatermark(vertices: readonly VertexMetrics[]): string {
  const known = vertices.flatMap((vertex) => vertex.subtasks.map((subtask) => subtask["currentInputWatermark"] ?? NO_EVENT_TIME)).filter((ms) => ms > NO_EVENT_TIME);
  if (known.length === 0) return "none yet";
  const slowest = Math.min(...known);
  if (slowest >= END_OF_TIME) return "end of input";
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
