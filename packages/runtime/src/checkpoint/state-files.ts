import type { FileSystem } from "@millrace/core";
import { MillraceError } from "@millrace/core";
import {
  HeapKeyedStateBackend, OperatorStateBackend, type FileRange, type HeapKeyedStateBackendOptions, type KeyedStateHandle, type OperatorRestorePart,
  type RestorePart,
} from "@millrace/state";
import type { AssignedOperatorState, OperatorRestore } from "../protocol/deployment.js";

const READ_BYTES = 1 << 20;

/** Reads one range of a checkpoint file. @throws `STATE_SNAPSHOT_CORRUPT` when the file is shorter. */
export async function readRange(fs: FileSystem, range: FileRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(range.length);
  if (range.length === 0) return bytes;
  const reader = await fs.read(range.path, range.offset);
  try {
    let at = 0;
    while (at < range.length) {
      const chunk = await reader.read(Math.min(READ_BYTES, range.length - at));
      if (chunk === undefined) throw truncated(range);
      bytes.set(chunk, at);
      at += chunk.length;
    }
  } finally {
    await reader.close();
  }
  return bytes;
}

function truncated(range: FileRange): MillraceError {
  return new MillraceError({
    code: "STATE_SNAPSHOT_CORRUPT",
    message: `the state file ${range.path} ends before byte ${range.offset + range.length}`,
    hint: "restore from another checkpoint",
    location: { file: range.path },
  });
}

/** The bytes an operator's state is restored from. */
export interface OperatorStateBytes {
  readonly keyed: readonly RestorePart[];
  readonly operator: readonly OperatorRestorePart[];
}

export async function readOperatorState(fs: FileSystem, restore: OperatorRestore): Promise<OperatorStateBytes> {
  const keyed = (restore.keyed as readonly KeyedStateHandle[]).map(async (handle) => ({
    ...await readPart(fs, handle),
    earlier: await Promise.all((handle.earlier ?? []).map((part) => readPart(fs, part))),
  }));
  const operator = (restore.operator as readonly AssignedOperatorState[]).map(async ({ handle, assignments }) => ({
    bytes: await readRange(fs, handle.file),
    states: handle.states,
    assignments,
  }));
  // Awaited together: one that fails while another is still being read has somebody who hears of it.
  const [keyedParts, operatorParts] = await Promise.all([Promise.all(keyed), Promise.all(operator)]);
  return { keyed: keyedParts, operator: operatorParts };
}

async function readPart(fs: FileSystem, { file, keyGroups }: Pick<KeyedStateHandle, "file" | "keyGroups">): Promise<RestorePart> {
  return { bytes: await readRange(fs, file), keyGroups };
}

export function keyedBackend(options: HeapKeyedStateBackendOptions, state: OperatorStateBytes | undefined): HeapKeyedStateBackend {
  return state === undefined || state.keyed.length === 0 ? new HeapKeyedStateBackend(options) : HeapKeyedStateBackend.restore(options, state.keyed);
}

export function operatorBackend(state: OperatorStateBytes | undefined): OperatorStateBackend {
  return state === undefined || state.operator.length === 0 ? new OperatorStateBackend() : OperatorStateBackend.restore(state.operator);
}
