import type { FileSystem } from "@millrace/core";
import type { HeapKeyedStateBackend, KeyedSnapshot, KeyedStateHandle, OperatorStateBackend, OperatorStateHandle, OperatorStateSnapshot } from "@millrace/state";
import type { InFlightHandle, OperatorRestore, TaskStateSnapshot } from "../protocol/deployment.js";
import type { InFlightData } from "./in-flight-data.js";

interface OperatorSnapshot {
  readonly operatorId: string;
  readonly keyed: KeyedSnapshot | undefined;
  readonly operator: OperatorStateSnapshot;
}

const STEP_MS = 0.5;

/** The snapshot of all operators of a task: taken at one instant, encoded in slices between records, then written to one file. */
export class TaskSnapshot {
  readonly checkpointId: number;
  /** Absolute; all files of the checkpoint are in it. */
  readonly directory: string;
  readonly #incremental: boolean;
  readonly #operators: OperatorSnapshot[] = [];
  #stepping = 0;

  /** `incremental`: keyed state may refer to files of earlier checkpoints, which are in directories beside its own. */
  constructor(checkpointId: number, directory: string, incremental: boolean) {
    this.checkpointId = checkpointId;
    this.directory = directory;
    this.#incremental = incremental;
  }

  add(operatorId: string, keyed: HeapKeyedStateBackend | undefined, operator: OperatorStateBackend): void {
    const { checkpointId } = this;
    const snapshot = this.#incremental ? keyed?.incrementalSnapshot(checkpointId) : keyed?.snapshot(checkpointId);
    this.#operators.push({ operatorId, keyed: snapshot, operator: operator.snapshot() });
  }

  /** Encodes a little more; true when everything is encoded. */
  step(): boolean {
    while (this.#stepping < this.#operators.length) {
      const { keyed } = this.#operators[this.#stepping]!;
      if (keyed !== undefined && !keyed.step(STEP_MS)) return false;
      this.#stepping++;
      if (keyed !== undefined) return this.#stepping === this.#operators.length;
    }
    return true;
  }

  abort(): void {
    for (const { keyed } of this.#operators) keyed?.abort();
  }

  /** Writes the file `name` of the checkpoint's directory, when there is any state, and tells what is where. Paths are relative to the checkpoint's directory. */
  async write(fs: FileSystem, name: string, inFlight: InFlightData): Promise<TaskStateSnapshot> {
    if (inFlight.failure !== undefined) throw inFlight.failure;
    const { directory } = this;
    const seenFromOthers = `../${directory.slice(directory.lastIndexOf("/") + 1)}`;
    const chunks: Uint8Array[] = [];
    let position = 0;
    const append = (parts: readonly Uint8Array[]): { readonly path: string; readonly offset: number; readonly length: number } => {
      const offset = position;
      for (const part of parts) {
        chunks.push(part);
        position += part.length;
      }
      return { path: name, offset, length: position - offset };
    };
    const operators: Record<string, OperatorRestore> = {};
    let earlierBytes = 0;
    for (const { operatorId, keyed, operator } of this.#operators) {
      const keyedHandles: KeyedStateHandle[] = [];
      if (keyed !== undefined) {
        const result = keyed.finish();
        const file = append(result.chunks);
        const handle = keyed.handle(result, file, { ...file, path: `${seenFromOthers}/${name}` });
        for (const part of handle.earlier ?? []) earlierBytes += part.file.length;
        keyedHandles.push(handle);
      }
      const operatorHandles: OperatorStateHandle[] = operator.states.length === 0 ? [] : [{ states: operator.states, file: append([operator.bytes]) }];
      if (keyedHandles.length > 0 || operatorHandles.length > 0) operators[operatorId] = { keyed: keyedHandles, operator: operatorHandles };
    }
    for (const { place: { operatorId, edgeId, from, to, side }, batches } of inFlight.parts) {
      const file = append(batches.map((batch) => new Uint8Array(batch)));
      const handle: InFlightHandle = { edgeId, from, to, side, file, batches: batches.map((batch) => batch.byteLength) };
      const others = operators[operatorId] ?? { keyed: [], operator: [] };
      operators[operatorId] = { ...others, inFlight: [...(others.inFlight ?? []), handle] };
    }
    if (position > 0) await writeFile(fs, `${directory}/${name}`, chunks);
    return { operators, stateBytes: position + earlierBytes, writtenBytes: position };
  }
}

async function writeFile(fs: FileSystem, path: string, chunks: readonly Uint8Array[]): Promise<void> {
  const writer = await fs.create(path);
  try {
    for (const chunk of chunks) if (chunk.length > 0) await writer.write(chunk);
    await writer.sync();
  } finally {
    await writer.close();
  }
}
