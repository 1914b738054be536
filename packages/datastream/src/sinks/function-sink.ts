import { MillraceError, type Sink, type SinkWriteContext, type SinkWriter } from "@millrace/core";

/** Takes one record; a promise pauses the input of its subtask until it settles. */
export type SinkFn<T> = (value: T, context: SinkWriteContext) => void | Promise<void>;

/** Calls a function per record. At least once: records since the last checkpoint come again after a failure. */
export class FunctionSink<T> implements Sink<T> {
  readonly description: string = "Function";
  readonly fn: SinkFn<T>;

  constructor(fn: SinkFn<T>) {
    if (/^class\b/.test(Function.prototype.toString.call(fn))) {
      throw new MillraceError({ code: "SINK_INVALID", message: "sinkTo was given a class", hint: "pass a Sink object, or a function of one record" });
    }
    this.fn = fn;
  }

  createWriter(): SinkWriter<T> {
    const { fn } = this;
    return { write: (value, context) => fn(value, context), flush() {}, close() {} };
  }
}
