import { METADATA_FILE, type CheckpointMetadata } from "@millrace/cluster";
import type { SimulatedDisk, Simulation } from "@millrace/env-sim";
import type { Probe } from "../job/probe.js";

interface FileReference {
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

interface Handle {
  readonly file: FileReference;
  readonly earlier?: readonly { readonly file: FileReference }[];
}

const METADATA_PATH = new RegExp(`^(.*)/chk-(\\d+)/${METADATA_FILE}$`);
const LEAST_WATERMARK = Number.NEGATIVE_INFINITY;

/** Watches a run, and keeps what it has seen that must never be. */
export class Invariants implements Probe {
  readonly violations: string[] = [];
  completedCheckpoints = 0;
  /** Makes functions fail; returns whether this visit does. */
  fails: (place: string) => boolean = () => false;
  readonly #simulation: Simulation;
  readonly #lastCheckpoint = new Map<string, number>();
  readonly #owners = new Map<string, number>();
  readonly #watermarks = new Map<string, number>();

  constructor(simulation: Simulation) {
    this.#simulation = simulation;
  }

  violate(what: string): void {
    this.#simulation.note(`VIOLATION: ${what}`);
    this.violations.push(what);
  }

  /** A submission begins from a checkpoint: its own come after it. */
  begins(directory: string, restoredCheckpoint: number): void {
    this.#lastCheckpoint.set(directory, restoredCheckpoint);
  }

  /** Completed checkpoints of a job have rising ids, and everything they refer to is there. */
  watch(disk: SimulatedDisk): void {
    disk.onPublished = (path, bytes, by) => {
      const match = METADATA_PATH.exec(path);
      if (match === null) return;
      const [, directory, id] = match as unknown as [string, string, string];
      const before = this.#lastCheckpoint.get(directory) ?? 0;
      if (Number(id) <= before) this.violate(`checkpoint ${id} of ${directory} is complete after checkpoint ${before}`);
      this.#lastCheckpoint.set(directory, Number(id));
      this.completedCheckpoints++;
      this.#simulation.note(`checkpoint ${id} is complete, written by ${by.name}`);
      this.checkFiles(disk, path.slice(0, -METADATA_FILE.length - 1), bytes);
    };
  }

  /** Everything is there that a checkpoint refers to. */
  checkFiles(disk: SimulatedDisk, checkpoint: string, metadata: Uint8Array | undefined = disk.peek(`${checkpoint}/${METADATA_FILE}`)): void {
    if (metadata === undefined) return this.violate(`checkpoint ${checkpoint} is live and has no ${METADATA_FILE}`);
    const { operators } = JSON.parse(new TextDecoder().decode(metadata)) as CheckpointMetadata;
    const handles = operators.flatMap(({ subtasks }) => subtasks.flatMap(({ keyed, operator }) => [...keyed, ...operator] as Handle[]));
    for (const { path, offset, length } of handles.flatMap(({ file, earlier = [] }) => [file, ...earlier.map((part) => part.file)])) {
      // Of a state without content there is no file.
      if (length === 0) continue;
      const absolute = path.startsWith("/") ? path : normalized(`${checkpoint}/${path}`);
      const bytes = disk.peek(absolute);
      if (bytes === undefined) this.violate(`checkpoint ${checkpoint} refers to ${absolute}, which is not there`);
      else if (bytes.length < offset + length) this.violate(`checkpoint ${checkpoint} refers to ${offset + length} bytes of ${absolute}, which has ${bytes.length}`);
    }
  }

  key(operator: string, attempt: string, subtask: number, key: string): void {
    const owner = `${operator} ${attempt} ${key}`;
    const before = this.#owners.get(owner);
    if (before === undefined) this.#owners.set(owner, subtask);
    else if (before !== subtask) this.violate(`key "${key}" of "${operator}" is in subtasks ${before} and ${subtask} of attempt ${attempt}`);
  }

  watermark(operator: string, attempt: string, subtask: number, watermarkMs: number): void {
    const place = `${operator} ${attempt} ${subtask}`;
    const before = this.#watermarks.get(place) ?? LEAST_WATERMARK;
    if (watermarkMs < before) this.violate(`the watermark of "${operator}" ${subtask} went from ${before} back to ${watermarkMs} in attempt ${attempt}`);
    this.#watermarks.set(place, watermarkMs);
  }

  timer(operator: string, timestampMs: number, watermarkMs: number): void {
    if (watermarkMs < timestampMs) this.violate(`a timer for ${timestampMs} of "${operator}" fired at watermark ${watermarkMs}`);
  }

  visit(place: string): void {
    if (this.fails(place)) throw new Error(`a function failed: ${place}`);
  }
}

function normalized(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}
