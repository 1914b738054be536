import { allOptions, Configuration, type KeySelector, type OutputTag } from "@millrace/core";
import { translate, type JobGraph, type OperatorSpec, type Partitioner, type StreamEdge, type StreamGraph, type StreamNode } from "@millrace/graph";

export interface NodeOptions {
  readonly parallelism?: number;
  readonly name?: string;
  readonly chaining?: StreamNode["chaining"];
}
export interface InputSpec {
  readonly from: StreamNode;
  readonly partitioner?: Partitioner;
  readonly keySelector?: KeySelector<any, any>;
  readonly sideOutput?: OutputTag<any>;
  readonly inputIndex?: number;
}

/** Builds stream graphs node by node, as the API would. */
export class GraphBuilder {
  readonly nodes: StreamNode[] = [];
  readonly config: Configuration;

  constructor(config: Record<string, unknown> = {}) {
    this.config = Configuration.of(config, allOptions);
  }

  add(spec: OperatorSpec, inputs: readonly InputSpec[] = [], options: NodeOptions = {}): StreamNode {
    const id = this.nodes.length + 1;
    const edges: StreamEdge[] = inputs.map((input, index) => ({
      source: input.from,
      inputIndex: input.inputIndex ?? index,
      partitioner: input.partitioner ?? (input.keySelector === undefined ? { kind: "forward", implicit: true } : { kind: "hash", keySelector: input.keySelector }),
      sideOutput: input.sideOutput,
    }));
    const node: StreamNode = {
      id, spec, name: options.name ?? `${spec.type}-${id}`, uid: undefined, description: undefined, parallelism: options.parallelism ?? 1, maxParallelism: undefined,
      forceNonParallel: false, slotSharingGroup: undefined, chaining: options.chaining ?? "always", bufferTimeoutMs: undefined, outputType: undefined,
      keySelectors: inputs.some((input) => input.keySelector !== undefined) ? inputs.map((input) => input.keySelector) : [], inputs: edges,
    };
    this.nodes.push(node);
    return node;
  }

  get graph(): StreamGraph {
    return { nodes: this.nodes };
  }

  jobGraph(): JobGraph {
    return translate(
      { graph: this.graph, jobName: "test", config: this.config, parameters: {}, cachedFiles: {}, once: new Map() },
      { jobId: "0123456789abcdef0123456789abcdef" },
    );
  }
}
