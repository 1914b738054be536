import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { TwoPhaseCommitSink, WriteAheadSink } from "@millrace/connector-base";
import { TransactionalStore } from "@millrace/testkit";
import { BucketAssigners, FileSink, RollingPolicies, type DataStream } from "millrace";

/** What a sink writes to in one run. */
export interface SinkWorld {
  attach(records: DataStream<string>): void;
  /** What readers see. */
  visible(): readonly string[];
}

export const sinks: Readonly<Record<string, (directory: string) => SinkWorld>> = {
  function: () => {
    const written: string[] = [];
    return { attach: (records) => void records.sinkTo((record) => void written.push(record)), visible: () => written };
  },
  upsert: () => {
    const table = new Map<string, string>();
    return { attach: (records) => void records.sinkTo((record) => void table.set(record, record)), visible: () => [...table.values()] };
  },
  writeAhead: () => {
    const batches = new Map<string, readonly string[]>();
    const sink = WriteAheadSink.of<string>({ name: "table", connect: () => ({ deliver: ({ id, records }) => void batches.set(id, records), close() {} }) });
    return { attach: (records) => void records.sinkTo(sink), visible: () => [...batches.values()].flat() };
  },
  twoPhaseCommit: () => {
    const store = new TransactionalStore<string>();
    const sink = TwoPhaseCommitSink.of<string>({ connect: () => store.connect(), transactionalIdPrefix: "table" });
    return { attach: (records) => void records.sinkTo(sink), visible: () => store.visible };
  },
  files: (directory) => {
    const out = join(directory, "out");
    return {
      attach: (records) => void records.sinkTo(FileSink.lines<string>(out, { bucketAssigner: BucketAssigners.basePath(), rollingPolicy: RollingPolicies.onCheckpoint() })),
      visible: () => (existsSync(out) ? readdirSync(out).filter((name) => !name.startsWith(".")).flatMap((name) => readFileSync(join(out, name), "utf8").split("\n").slice(0, -1)) : []),
    };
  },
};
