import { createHash } from "node:crypto";
import type { SinkWriterContext } from "@millrace/core";

/** What the name of a transaction says. */
export interface TransactionName {
  readonly subtask: number;
  /** The first checkpoint that the transaction can be part of. */
  readonly checkpoint: number;
  /** Which of all writers that this sink ever had; counted by the database. */
  readonly epoch: number;
}

/** Characters of ids that are enough to tell them apart. */
const ID_LENGTH = 8;

/** What the names of one sink's transactions begin with, in all attempts and all runs of its job. */
export function nameBase(prefix: string, { operatorId }: Pick<SinkWriterContext, "operatorId">): string {
  return `${prefix}_${operatorId.slice(0, ID_LENGTH)}_`;
}

/** `prefix_operator_job_subtask_checkpoint_epoch`, up to 128 characters. */
export function nameOf(base: string, { jobId }: Pick<SinkWriterContext, "jobId">, { subtask, checkpoint, epoch }: TransactionName): string {
  return `${base}${jobId.slice(0, ID_LENGTH)}_${subtask}_${checkpoint}_${epoch}`;
}

/** `undefined` for names of others. */
export function parseName(base: string, name: string): TransactionName | undefined {
  if (!name.startsWith(base)) return undefined;
  const match = /^[^_]+_(\d+)_(\d+)_(\d+)$/.exec(name.slice(base.length));
  return match === null ? undefined : { subtask: Number(match[1]), checkpoint: Number(match[2]), epoch: Number(match[3]) };
}

/** Which writer has been there: what its row in the table of transaction records is called. */
export interface WriterName {
  readonly subtask: number;
  readonly epoch: number;
}

const WRITER = "writer ";

export function writerPrefix(base: string): string {
  return `${WRITER}${base}`;
}

export function writerName(base: string, { subtask, epoch }: WriterName): string {
  return `${writerPrefix(base)}${subtask}_${epoch}`;
}

/** `undefined` for names of others. */
export function parseWriterName(base: string, name: string): WriterName | undefined {
  if (!name.startsWith(writerPrefix(base))) return undefined;
  const match = /^(\d+)_(\d+)$/.exec(name.slice(writerPrefix(base).length));
  return match === null ? undefined : { subtask: Number(match[1]), epoch: Number(match[2]) };
}

/** What a writer's sessions are called at the server, whose names are short. */
export function sessionOf(writer: string): string {
  return `millrace_${createHash("sha256").update(writer).digest("hex").slice(0, 40)}`;
}
