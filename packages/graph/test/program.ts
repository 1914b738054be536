import { allOptions, Configuration, WatermarkStrategy, type KeySelector, type Source } from "@millrace/core";
import type { OperatorSpec, Partitioner, Pipeline, StreamGraph, StreamNode } from "../src/index.js";

/** Builds programs by hand: a node per call, reading the nodes given. */
export class Program {
  readonly nodes: StreamNode[] = [];

  source(name = "numbers", boundedness: Source<number>["boundedness"] = "bounded", attributes: Partial<StreamNode> = {}): StreamNode {
    const source = { boundedness, createEnumerator: never, createReader: never } as unknown as Source<number>;
    return this.add({ type: "source", source, watermarks: WatermarkStrategy.noWatermarks() }, name, [], attributes);
  }
  map(input: StreamNode, attributes: Partial<StreamNode> = {}, partitioner: Partitioner = { kind: "forward", implicit: true }): StreamNode {
    return this.add({ type: "map", fn: (x: number) => x + 1 }, "Map", [[input, partitioner]], attributes);
  }
  keyed(input: StreamNode, selector: KeySelector<any, any> = (x: number) => x, attributes: Partial<StreamNode> = {}): StreamNode {
    return this.add({ type: "keyedReduce", fn: (a: number, b: number) => a + b }, "Keyed Reduce", [[input, { kind: "hash", keySelector: selector }]], { keySelectors: [selector], ...attributes });
  }
  sink(input: StreamNode, attributes: Partial<StreamNode> = {}): StreamNode {
    return this.add({ type: "sink", sink: { createWriter: never } as never }, "out", [[input, { kind: "forward", implicit: true }]], attributes);
  }
  add(spec: OperatorSpec, name: string, inputs: readonly (readonly [StreamNode, Partitioner, number?])[], attributes: Partial<StreamNode> = {}): StreamNode {
    const node: StreamNode = {
      id: this.nodes.length + 1, spec, name, uid: undefined, description: undefined, parallelism: undefined, maxParallelism: undefined, forceNonParallel: false,
      slotSharingGroup: undefined, chaining: "always", bufferTimeoutMs: undefined, outputType: undefined, keySelectors: [],
      inputs: inputs.map(([source, partitioner, inputIndex]) => ({ source, partitioner, inputIndex: inputIndex ?? 0, sideOutput: undefined })),
      ...attributes,
    };
    this.nodes.push(node);
    return node;
  }
  get graph(): StreamGraph {
    return { nodes: this.nodes };
  }
  pipeline(options: Readonly<Record<string, unknown>> = {}): Pipeline {
    return { graph: this.graph, jobName: "test", config: Configuration.of(options, allOptions), parameters: {}, cachedFiles: {}, once: new Map() };
  }
}

function never(): never {
  throw new Error("not called at planning");
}

export const jobId = "00000000000000000000000000000001";
