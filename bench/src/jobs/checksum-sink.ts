import type { Sink, SinkWriter, SinkWriterContext } from "millrace";
import { Checksum } from "../data/checksum.js";
import { cpuMicros, firstOpening } from "./gate.js";
import { endProfile, startProfile } from "./profile.js";

/** In front of the line of JSON each subtask of the sink prints when it has ended. */
export const REPORT_MARK = "@bench ";

/** What one subtask of the sink saw. Times are those of `process.hrtime`; without a source in its slot, the start is 0. */
export interface SinkReport {
  readonly startNs: string;
  readonly endNs: string;
  /** CPU time of the whole process when the slot's source began, and now. */
  readonly startCpuMicros: number;
  readonly endCpuMicros: number;
  readonly outputs: number;
  readonly checksum: number;
  readonly extras: Readonly<Record<string, unknown>>;
}

/** Folds every output into a checksum and reports it at the end; `extras` gives further figures of the slot. */
export class ChecksumSink<T> implements Sink<T> {
  readonly description: string = "Checksum";
  private readonly hash: (output: T) => number;
  private readonly extras: () => Readonly<Record<string, unknown>>;

  constructor(hash: (output: T) => number, extras: () => Readonly<Record<string, unknown>> = () => ({})) {
    this.hash = hash;
    this.extras = extras;
  }
  createWriter(context: SinkWriterContext): SinkWriter<T> {
    return new ChecksumWriter<T>(this.hash, this.extras, context);
  }
}

class ChecksumWriter<T> implements SinkWriter<T> {
  private readonly hash: (output: T) => number;
  private readonly extras: () => Readonly<Record<string, unknown>>;
  private readonly context: SinkWriterContext;
  private readonly checksum = new Checksum();
  private readonly createdCpuMicros: number = cpuMicros();

  constructor(hash: (output: T) => number, extras: () => Readonly<Record<string, unknown>>, context: SinkWriterContext) {
    this.hash = hash;
    this.extras = extras;
    this.context = context;
    startProfile();
  }
  write(output: T): void {
    this.checksum.add(this.hash(output));
  }
  flush(endOfInput: boolean): void {
    if (!endOfInput) return;
    endProfile();
    const opening = firstOpening();
    const report: SinkReport = {
      startNs: String(opening?.monotonicNs ?? 0n), endNs: String(process.hrtime.bigint()),
      startCpuMicros: opening?.cpuMicros ?? this.createdCpuMicros, endCpuMicros: cpuMicros(),
      outputs: this.checksum.outputs, checksum: this.checksum.sum, extras: this.extras(),
    };
    this.context.log("print", REPORT_MARK + JSON.stringify(report));
  }
  close(): void {}
}
