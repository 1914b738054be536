import { METADATA_FILE, type CheckpointMetadata } from "@millrace/cluster";
import type { SimulatedDisk, Simulation } from "@millrace/env-sim";
import type { Probe } from "../job/probe.js";
import type { CommitLedger } from "./commit-ledger.js";

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
const SAVEPOINT_PATH = new RegExp(`^(.*/savepoint-[^/]+)/${METADATA_FILE}$`);
const LEAST_WATERMARK = Number.NEGATIVE_INFINITY;

/** Watches a run, and keeps what it has seen that must never be. */
export class Invariants implements Probe {
  readonly violations: string[] = [];
  completedCheckpoints = 0;
  savepoints = 0;
  /** Checkpoints with records that were on their way. */
  inFlightCheckpoints = 0;
  /** Told of every savepoint that is complete. */
  onSavepoint: ((path: string, metadata: CheckpointMetadata) => void) | undefined;
  /** Directory of the checkpoint that became complete last. */
  newestCheckpoint: string | undefined;
  /** Told of every checkpoint that is complete and has records that were on their way; `ofOutputs`: some of them waited in outputs. */
  onRecordsInFlight: ((ofOutputs: boolean) => void) | undefined;
  /** How much longer answers from outside take. */
  slowMs = 0;
  /** Makes functions fail; returns whether this visit does. */
  fails: (place: string) => boolean = () => false;
  /** Makes readers find nothing; returns whether this one does. */
  stalls: (source: string, subtask: number) => boolean = () => false;
  readonly #simulation: Simulation;
  /** By directory: the checkpoint that the job began from, and those that it has written. */
  readonly #checkpoints = new Map<string, { readonly base: number; readonly written: Set<number> }>();
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
    this.#checkpoints.set(directory, { base: restoredCheckpoint, written: new Set() });
  }

  /**
   * Checkpoints of a job have ids of their own, above that of the one it began from, and everything they refer to is there. With leaders that change, a checkpoint counts once a leader
   * has committed it: then `commits` tells of it.
   */
  watch(disk: SimulatedDisk, commits: CommitLedger | undefined): void {
    disk.onPublished = (path, bytes, by) => {
      const savepoint = SAVEPOINT_PATH.exec(path)?.[1];
      if (savepoint !== undefined) this.#savepoint(disk, savepoint, bytes);
      const match = METADATA_PATH.exec(path);
      if (match === null) return;
      const [, directory, id] = match as unknown as [string, string, string];
      this.#simulation.note(`checkpoint ${id} is written by ${by.name}`);
      if (commits === undefined) this.#complete(disk, directory, Number(id));
      if (!hasRecordsInFlight(bytes)) return;
      this.inFlightCheckpoints++;
      if (commits === undefined) this.onRecordsInFlight?.(hasRecordsInFlight(bytes, "output"));
    };
    if (commits === undefined) return;
    commits.onCheckpoint = (jobId, { checkpointId, path, external }) => {
      this.#simulation.note(`checkpoint ${checkpointId} of job ${jobId} is committed as ${path}`);
      if (!external) this.completedCheckpoints++;
      this.newestCheckpoint = path;
      this.checkFiles(disk, path);
      const metadata = disk.peek(`${path}/${METADATA_FILE}`);
      if (metadata !== undefined && hasRecordsInFlight(metadata)) this.onRecordsInFlight?.(hasRecordsInFlight(metadata, "output"));
    };
  }

  #complete(disk: SimulatedDisk, directory: string, id: number): void {
    const { base, written } = this.#checkpoints.get(directory) ?? { base: 0, written: new Set<number>() };
    const newest = Math.max(base, ...written);
    if (id <= base || written.has(id)) this.violate(`checkpoint ${id} of ${directory} is complete after checkpoint ${newest}`);
    written.add(id);
    // One that was given up may be written late; it is deleted again.
    if (id < newest) return;
    this.completedCheckpoints++;
    this.newestCheckpoint = `${directory}/chk-${id}`;
    this.checkFiles(disk, this.newestCheckpoint);
  }

  #savepoint(disk: SimulatedDisk, path: string, bytes: Uint8Array): void {
    this.savepoints++;
    const metadata = JSON.parse(new TextDecoder().decode(bytes)) as CheckpointMetadata;
    this.#simulation.note(`savepoint ${metadata.checkpointId} is written to ${path}`);
    this.checkFiles(disk, path, bytes);
    for (const file of filesOf(metadata)) if (file.path.includes("/")) this.violate(`savepoint ${path} refers to ${file.path}, which is not its own`);
    this.onSavepoint?.(path, metadata);
  }

  /** Everything is there that a checkpoint refers to. */
  checkFiles(disk: SimulatedDisk, checkpoint: string, metadata: Uint8Array | undefined = disk.peek(`${checkpoint}/${METADATA_FILE}`)): void {
    if (metadata === undefined) return this.violate(`checkpoint ${checkpoint} is live and has no ${METADATA_FILE}`);
    for (const { path, offset, length } of filesOf(JSON.parse(new TextDecoder().decode(metadata)) as CheckpointMetadata)) {
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

  timer(operator: string, timestampMs: number, watermarkMs: number, waited: number): void {
    if (waited === 0) this.violate(`a timer for ${timestampMs} of "${operator}" fired for nothing: twice, or without its state`);
    if (watermarkMs < timestampMs) this.violate(`a timer for ${timestampMs} of "${operator}" fired at watermark ${watermarkMs}`);
  }

  visit(place: string): void {
    if (this.fails(place)) throw new Error(`a function failed: ${place}`);
  }
}

function filesOf({ operators }: CheckpointMetadata): readonly FileReference[] {
  const handles = operators.flatMap(({ subtasks }) => subtasks.flatMap(({ keyed, operator, inFlight = [] }) => [...keyed, ...operator, ...inFlight] as Handle[]));
  return handles.flatMap(({ file, earlier = [] }) => [file, ...earlier.map((part) => part.file)]);
}

function hasRecordsInFlight(metadata: Uint8Array, of?: "output"): boolean {
  const { operators } = JSON.parse(new TextDecoder().decode(metadata)) as CheckpointMetadata;
  return operators.some(({ subtasks }) => subtasks.some(({ inFlight = [] }) => (inFlight as readonly { readonly side: string }[]).some(({ side }) => of === undefined || side === of)));
}

function normalized(path: string): string {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts.join("/");
}
