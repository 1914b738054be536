import { CHECKPOINTING_INCREMENTAL, keyGroupRange, MAX_WATERMARK, MillraceError, type KeyedStateStore, type Operator, type Output, type StateInitializationContext } from "@millrace/core";
import type { JobVertex, OperatorSpec, StreamGraph } from "@millrace/graph";
import type { HeapKeyedStateBackend, HeapTimerService, OperatorStateBackend } from "@millrace/state";
import { ChainNode } from "../chain/chain-node.js";
import type { ChainEntry } from "../chain/chain-entry.js";
import { keyedBackend, operatorBackend, type OperatorStateBytes } from "../checkpoint/state-files.js";
import type { InFlightData } from "../checkpoint/in-flight-data.js";
import { TaskSnapshot } from "../checkpoint/task-snapshot.js";
import { TaskOperatorContext, type TaskFacilities } from "../context/operator-context.js";
import type { Barrier, ChannelEvent } from "../exchange/channel-element.js";
import type { RecordWriter } from "../exchange/record-writer.js";
import type { MetricRegistry } from "../metrics/metric-registry.js";
import { SinkOperator } from "../sink/sink-operator.js";
import { settled, type Activity } from "./activity.js";

/** One output edge of a task. */
export interface ChainEdge {
  readonly sourceOperatorId: string;
  readonly sideOutput: string | undefined;
  readonly writer: RecordWriter;
}

/** Makes the code of a chain: compiled or by reference. */
export interface ChainCode {
  output(node: ChainNode): Output<unknown>;
  entry(head: ChainNode, input: number): ChainEntry;
}

/** Makes an operator of a chain. */
export type CreateOperator = (node: ChainNode, spec: OperatorSpec, context: TaskOperatorContext) => Operator;

interface NodeState {
  readonly keyed: HeapKeyedStateBackend | undefined;
  readonly operator: OperatorStateBackend;
}

/** The operators of a task: a tree with its head first, its edges at the ends. */
export class OperatorChain {
  readonly nodes: readonly ChainNode[];
  readonly writers: readonly RecordWriter[];
  readonly #states = new Map<ChainNode, NodeState>();
  #incremental = false;

  constructor(vertex: JobVertex, graph: StreamGraph, edges: readonly ChainEdge[], code: ChainCode, blame: (error: unknown, node: ChainNode) => unknown) {
    this.nodes = vertex.operators.map((plan, index) => {
      const stream = graph.nodes.find((node) => node.id === plan.nodeId);
      if (stream === undefined) {
        throw new MillraceError({ code: "GRAPH_MISMATCH", message: `the job's graph has no node ${plan.nodeId} for operator "${plan.name}"`, hint: "is the job deterministic?" });
      }
      const node = new ChainNode(index, plan, stream);
      node.makeOutput = (of) => code.output(of);
      node.blame = (error) => blame(error, node);
      return node;
    });
    this.writers = edges.map((edge) => edge.writer);
    const byId = new Map(this.nodes.map((node) => [node.plan.id, node]));
    for (const node of this.nodes) {
      const { chainedTo } = node.plan;
      if (chainedTo !== undefined) addTarget(byId.get(chainedTo.operatorId)!, chainedTo.sideOutput, node);
    }
    for (const edge of edges) addTarget(byId.get(edge.sourceOperatorId)!, edge.sideOutput, edge.writer);
  }

  get head(): ChainNode {
    return this.nodes[0]!;
  }

  /** Makes state backends and operators, from the ends to the head, so that an operator's output knows what is behind it. */
  create(facilities: TaskFacilities, metrics: MetricRegistry, restored: ReadonlyMap<string, OperatorStateBytes>, createOperator: CreateOperator): void {
    const { maxParallelism, parallelism, subtaskIndex, clock, config } = facilities;
    this.#incremental = config.get(CHECKPOINTING_INCREMENTAL);
    const options = { maxParallelism, keyGroupRange: keyGroupRange(maxParallelism, parallelism, subtaskIndex), clock };
    for (const node of [...this.nodes].reverse()) {
      const bytes = restored.get(node.plan.id);
      const keyed = node.plan.keyed ? keyedBackend(options, bytes) : undefined;
      const operator = operatorBackend(bytes);
      this.#states.set(node, { keyed, operator });
      node.keyedBackend = keyed;
      const context = new TaskOperatorContext(node, facilities, metrics.group(node.name), keyed, operator);
      node.operator = createOperator(node, node.stream.spec, context);
    }
  }

  *open(restoredCheckpointId: number | undefined): Activity {
    for (const node of [...this.nodes].reverse()) {
      const { keyed, operator } = this.#states.get(node)!;
      const context: StateInitializationContext = {
        isRestored: restoredCheckpointId !== undefined,
        restoredCheckpointId,
        operatorState: operator,
        get keyedState(): KeyedStateStore {
          if (keyed !== undefined) return keyed;
          throw new MillraceError({ code: "STATE_NOT_KEYED", message: `operator "${node.name}" uses keyed state, but its input is not keyed`, hint: "call keyBy before it" });
        },
      };
      yield* call(node, () => node.operator.open?.(context));
    }
  }

  *prepareSnapshot(checkpointId: number): Activity {
    for (const node of this.nodes) yield* call(node, () => node.operator.prepareSnapshot?.(checkpointId));
  }

  /** Asks every operator for its state and freezes the backends; the result is encoded later. */
  *snapshotState({ checkpointId, timestampMs, options }: Barrier, checkpointDirectory: string, take: (snapshot: TaskSnapshot) => void): Activity {
    const isKept = (node: ChainNode): boolean => options.final !== true || node.operator instanceof SinkOperator;
    for (const node of this.nodes.filter(isKept)) yield* call(node, () => node.operator.snapshotState?.({ checkpointId, checkpointTimestampMs: timestampMs }));
    const standsAlone = options.full === true || options.savepointDirectory !== undefined;
    const snapshot = new TaskSnapshot(checkpointId, options.savepointDirectory ?? `${checkpointDirectory}/chk-${checkpointId}`, this.#incremental && !standsAlone);
    for (const [node, { keyed, operator }] of this.#states) if (isKept(node)) snapshot.add(node.plan.id, keyed, operator);
    take(snapshot);
  }

  /** Later snapshots may build on the checkpoint when it is complete, and may not when it was aborted. */
  checkpointEnded(checkpointId: number, complete: boolean): void {
    for (const { keyed } of this.#states.values()) {
      if (complete) keyed?.checkpointComplete(checkpointId);
      else keyed?.checkpointAborted(checkpointId);
    }
  }

  *notifyComplete(checkpointId: number): Activity {
    for (const node of this.nodes) yield* call(node, () => node.operator.notifyCheckpointComplete?.(checkpointId));
  }

  *notifyAborted(checkpointId: number): Activity {
    for (const node of this.nodes) yield* call(node, () => node.operator.notifyCheckpointAborted?.(checkpointId));
  }

  /** Input `index` of the head has ended. */
  *endInput(index: number): Activity {
    yield* endInput(this.head, index);
  }

  /** All inputs have ended: every operator emits what it has left, from the head to the ends. */
  *finish(): Activity {
    for (const node of this.nodes) {
      if (node !== this.head) yield* endInput(node, 0);
      yield* call(node, () => node.operator.finish?.(node.output));
    }
  }

  /** Closes every operator that was made, whatever the others do; errors go to `report`. */
  *close(report: (error: unknown) => void): Activity {
    for (const { operator } of this.nodes as readonly { operator: Operator | undefined }[]) {
      try {
        yield* settled(operator?.close?.());
      } catch (error) {
        report(error);
      }
    }
  }

  get hasUncommitted(): boolean {
    return this.nodes.some(({ operator }) => operator instanceof SinkOperator && operator.hasUncommitted);
  }

  *timerServices(): Generator<HeapTimerService> {
    for (const node of this.nodes) yield* node.timerServices.values();
  }

  sendEvent(event: ChannelEvent): void {
    for (const writer of this.writers) writer.sendEvent(event);
  }

  /** Barriers may overtake records on some output. */
  get overtakable(): boolean {
    return this.writers.some(({ plan }) => plan.overtakable);
  }

  sendBarrier(barrier: Barrier, inFlight: InFlightData): void {
    for (const writer of this.writers) writer.sendBarrier(barrier, inFlight);
  }

  flush(onlyIfWritable: boolean): void {
    for (const writer of this.writers) writer.flush(onlyIfWritable);
  }

  /** The last watermark of a task whose operators do not run, since they had finished before the checkpoint it was restored from. */
  passLastWatermark(): void {
    for (const writer of this.writers) writer.watermark(MAX_WATERMARK);
  }
}

/** Calls an operator, waits for what it returns, and blames it for what goes wrong. */
function* call(node: ChainNode, act: () => unknown): Activity {
  try {
    yield* settled(act());
  } catch (error) {
    throw node.blame(error);
  }
}

/** Tells an operator that an input has ended, again in every turn until it has emitted everything. */
function* endInput(node: ChainNode, index: number): Activity {
  for (;;) {
    try {
      if (node.operator.endInput?.(index, node.output) !== false) return;
    } catch (error) {
      throw node.blame(error);
    }
    yield undefined;
  }
}

function addTarget(node: ChainNode, sideOutput: string | undefined, target: ChainNode | RecordWriter): void {
  if (sideOutput === undefined) node.targets.push(target);
  else if (node.sideTargets.has(sideOutput)) node.sideTargets.get(sideOutput)!.push(target);
  else node.sideTargets.set(sideOutput, [target]);
}
