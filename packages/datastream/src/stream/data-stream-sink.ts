import type { DurationLike } from "@millrace/core";
import type { StreamNode } from "@millrace/graph";
import { bufferTimeoutMs, checkedText, setMaxParallelism, setParallelism } from "./operator-attributes.js";

/** A sink of the program, to name and to tune. Flink: DataStreamSink. */
export class DataStreamSink<T> {
  readonly node: StreamNode;
  /** Only for the compiler. */
  declare readonly element?: T;

  constructor(node: StreamNode) {
    this.node = node;
  }

  name(name: string): this {
    this.node.name = checkedText(name, "name", this.node);
    return this;
  }
  /** Names the sink's state in checkpoints, whatever else changes in the program. */
  uid(uid: string): this {
    this.node.uid = checkedText(uid, "uid", this.node);
    return this;
  }
  description(description: string): this {
    this.node.description = description;
    return this;
  }
  setParallelism(parallelism: number): this {
    setParallelism(this.node, parallelism);
    return this;
  }
  setMaxParallelism(maxParallelism: number): this {
    setMaxParallelism(this.node, maxParallelism);
    return this;
  }
  slotSharingGroup(group: string): this {
    this.node.slotSharingGroup = checkedText(group, "slot sharing group", this.node);
    return this;
  }
  disableChaining(): this {
    this.node.chaining = "never";
    return this;
  }
  setBufferTimeout(timeout: DurationLike): this {
    this.node.bufferTimeoutMs = bufferTimeoutMs(timeout);
    return this;
  }
}
