import { BatchDecoder, keyGroupOf, keyHash, operatorIndexForKeyGroup, RecordBatch, type FileSystem } from "@millrace/core";
import type { Partitioner } from "@millrace/graph";
import type { InputChannel } from "../exchange/input-channel.js";
import { checkedChannel } from "../exchange/record-writer.js";
import type { InFlightHandle, InFlightRestore } from "../protocol/deployment.js";
import { readRange } from "./state-files.js";

/** The end of an edge that replays, and how the edge chooses among its ends. */
export interface ReplayTarget {
  readonly partitioner: Partitioner;
  readonly subtaskIndex: number;
  readonly parallelism: number;
  readonly maxParallelism: number;
}

/**
 * Puts what was in flight on an edge when the checkpoint was taken before everything that will come over it.
 *
 * With the parallelism of then, into the channels it was in. With another one, the records of this subtask all go into one channel, and the other channels
 * of the edge are not read before they have been processed: records of a key may come over any of them afterwards.
 */
export async function recoverInFlight(fs: FileSystem, restore: InFlightRestore, target: ReplayTarget, channels: readonly InputChannel[]): Promise<void> {
  const decoder = new BatchDecoder();
  if (!restore.rescaled) {
    const bySender = new Map<number, RecordBatch[]>();
    for (const handle of restore.handles) {
      const batches = await read(fs, handle, decoder, target.partitioner);
      for (const batch of batches) batch.marks = restore.keepsWatermarks ? (batch.marks?.filter(({ kind }) => kind === "watermark") ?? null) : null;
      const own = batches.filter((batch) => batch.count > 0 || batch.marks !== null);
      bySender.set(handle.from, [...(bySender.get(handle.from) ?? []), ...own]);
    }
    // All of a channel at once, since they go before what waits: first what was in the input, then what was in the output.
    for (const [from, batches] of bySender) channels.find(({ sender }) => sender === from)!.recover(batches);
    return;
  }
  const replayed: RecordBatch[] = [];
  for (const handle of restore.handles) {
    for (const batch of await read(fs, handle, decoder, target.partitioner)) replayed.push(ownRecords(batch, target));
  }
  const [first, ...others] = channels;
  const batches = replayed.filter((batch) => batch.count > 0);
  if (batches.length === 0) return;
  for (const channel of others) channel.blockedByRecovery = true;
  first!.recover(batches);
  first!.onRecovered = () => {
    first!.onRecovered = undefined;
    for (const channel of others) channel.unblockAfterRecovery();
  };
}

async function read(fs: FileSystem, { file, batches }: InFlightHandle, decoder: BatchDecoder, partitioner: Partitioner): Promise<RecordBatch[]> {
  const bytes = await readRange(fs, file);
  let at = 0;
  return batches.map((length) => {
    const batch = decoder.decode(bytes.slice(at, (at += length)).buffer);
    // The edge was not keyed when the checkpoint was taken.
    if (partitioner.kind === "hash" && batch.keyHashes === null) batch.keyHashes = Int32Array.from(batch.values, (value) => keyHash(partitioner.keySelector(value)));
    return batch;
  });
}

/** The records that the edge would send here now. Marks say nothing any more. */
function ownRecords(batch: RecordBatch, target: ReplayTarget): RecordBatch {
  const isOwn = ownership(target);
  const rows: number[] = [];
  for (let i = 0; i < batch.count; i++) if (isOwn(batch, i)) rows.push(i);
  const own = new RecordBatch(rows.map((row) => batch.values[row]), Float64Array.from(rows, (row) => batch.timestampsMs[row]!), rows.length);
  own.combined = batch.combined;
  const { keyHashes } = batch;
  if (keyHashes !== null) own.keyHashes = Int32Array.from(rows, (row) => keyHashes[row]!);
  return own;
}

function ownership({ partitioner, subtaskIndex, parallelism, maxParallelism }: ReplayTarget): (batch: RecordBatch, row: number) => boolean {
  if (partitioner.kind === "hash") {
    return ({ keyHashes }, row) => operatorIndexForKeyGroup(maxParallelism, parallelism, keyGroupOf(keyHashes![row]!, maxParallelism)) === subtaskIndex;
  }
  if (partitioner.kind === "custom") {
    const { keySelector, partition } = partitioner;
    return ({ values }, row) => {
      const key: unknown = keySelector(values[row]);
      return checkedChannel(partition(key, parallelism), parallelism, key) === subtaskIndex;
    };
  }
  // Any subtask will do: whoever was given the channel.
  return () => true;
}
