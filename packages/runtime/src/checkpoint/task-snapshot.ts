import type { FileSystem } from "@millrace/core";
import type { HeapKeyedStateBackend, KeyedSnapshot, KeyedStateHandle, OperatorStateBackend, OperatorStateHandle, OperatorStateSnapshot } from "@millrace/state";
import type { OperatorRestore, TaskStateSnapshot } from "../protocol/deployment.js";

interface OperatorSnapshot {
  readonly operatorId: string;
  readonly keyed: KeyedSnapshot | undefined;
  readonly operator: OperatorStateSnapshot;
}

const STEP_MS = 0.5;

/** The snapshot of all operators of a task: taken at one instant, encoded in slices between records, then written to one file. */
export class TaskSnapshot {
  readonly checkpointId: number;
  readonly #operators: OperatorSnapshot[] = [];
  #stepping = 0;

  constructor(checkpointId: number) {
    this.checkpointId = checkpointId;
  }

  add(operatorId: string, keyed: HeapKeyedStateBackend | undefined, operator: OperatorStateBackend): void {
    this.#operators.push({ operatorId, keyed: keyed?.snapshot(this.checkpointId), operator: operator.snapshot() });
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

  /** Writes the file, when there is any state, and tells what is where. Paths are relative to the checkpoint's directory. */
  async write(fs: FileSystem, directory: string, name: string): Promise<TaskStateSnapshot> {
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
    for (const { operatorId, keyed, operator } of this.#operators) {
      const result = keyed?.finish();
      const keyedHandles: KeyedStateHandle[] =
        result === undefined ? [] : [{ keyGroupRange: result.keyGroupRange, keyGroups: result.keyGroups, file: append(result.chunks) }];
      const operatorHandles: OperatorStateHandle[] = operator.states.length === 0 ? [] : [{ states: operator.states, file: append([operator.bytes]) }];
      if (keyedHandles.length > 0 || operatorHandles.length > 0) operators[operatorId] = { keyed: keyedHandles, operator: operatorHandles };
    }
    if (position > 0) await writeFile(fs, `${directory}/${name}`, chunks);
    return { operators, stateBytes: position };
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
