import type { DurationLike } from "@millrace/core";
import type { StreamNode } from "@millrace/graph";
import { addMetricVariable, bufferTimeoutMs, checkedText, checkedUidHash, setMaxParallelism, setParallelism } from "./operator-attributes.js";

/** A sink of the program, to name and to tune. Flink: DataStreamSink. */
export class DataStreamSink<T> {
  readonly node: StreamNode;
  /** Only for the compiler. */
  declare readonly element?: T;

  constructor(node: StreamNode) {
    this.node = node;
  }

  /** Shown in plans, metrics and errors. Without a `uid` it is part of the operator's id. */
  name(name: string): this {
    this.node.name = checkedText(name, "name", this.node);
    return this;
  }
  /** Names the sink's state in checkpoints, whatever else changes in the program. */
  uid(uid: string): this {
    this.node.uid = checkedText(uid, "uid", this.node);
    return this;
  }
  /** Gives the sink the id under which an older program left its state: 32 hex digits. See {@link SingleOutputStreamOperator.setUidHash}. */
  setUidHash(uidHash: string): this {
    this.node.uidHash = checkedUidHash(uidHash, this.node);
    return this;
  }
  /** Shown in plans in place of the name. */
  description(description: string): this {
    this.node.description = description;
    return this;
  }
  /** @throws `PARALLELISM_INVALID` unless an integer from 1 to 32768 */
  setParallelism(parallelism: number): this {
    setParallelism(this.node, parallelism);
    return this;
  }
  /** Number of key groups of the sink's state. @throws `PARALLELISM_INVALID` */
  setMaxParallelism(maxParallelism: number): this {
    setMaxParallelism(this.node, maxParallelism);
    return this;
  }
  /** Tasks of different groups never share a slot. Inherited from the inputs when they agree; else "default". */
  slotSharingGroup(group: string): this {
    this.node.slotSharingGroup = checkedText(group, "slot sharing group", this.node);
    return this;
  }
  /** A label for all metrics of the sink, beside those of Flink. A key given again has the last value. @throws `ATTRIBUTE_INVALID` for one of Flink's labels */
  addMetricVariable(key: string, value: string): this {
    addMetricVariable(this.node, key, value);
    return this;
  }
  /** A task of its own, chained to nothing. */
  disableChaining(): this {
    this.node.chaining = "never";
    return this;
  }
  /** The longest a record waits in a buffer of this sink's task; 0 flushes after every record, -1 sends full buffers only. */
  setBufferTimeout(timeout: DurationLike): this {
    this.node.bufferTimeoutMs = bufferTimeoutMs(timeout);
    return this;
  }
}
