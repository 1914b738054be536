import {
  BATCH_EXCHANGE_MEMORY, BATCH_SIZE, BatchEncoder, CHAIN_COMPILER, CHECKPOINTING_UNALIGNED, CHECKPOINTING_UNALIGNED_FORCED, COLLECT_WINDOW, COMBINE_WINDOWS, FREEZE_RECORDS, METRICS_LATENCY_GRANULARITY, MillraceError, RecordBatch, RUNTIME_MODE,
  type Configuration, type Operator,
} from "@millrace/core";
import type { JobEdge, JobVertex, OperatorSpec, StreamGraph } from "@millrace/graph";
import { canCompile, ChainCompiler } from "../chain/chain-compiler.js";
import type { ChainEntry, GeneratingEntry } from "../chain/chain-entry.js";
import type { ChainNode } from "../chain/chain-node.js";
import { referenceEntry, referenceOutput, referenceSourceEntry } from "../chain/reference-chain.js";
import { blame, GeneratedSources } from "../chain/task-error.js";
import { recoverInFlight } from "../checkpoint/recover-in-flight.js";
import { readOperatorState, type OperatorStateBytes } from "../checkpoint/state-files.js";
import type { TaskFacilities, TaskOperatorContext } from "../context/operator-context.js";
import { ChannelIds, mayOvertakeInto, sourcesOf, targetsOf } from "../exchange/edge-topology.js";
import { HeldMemory } from "../exchange/held-memory.js";
import type { HoldingPlace, InputChannel } from "../exchange/input-channel.js";
import { OutputChannel, OutputPressure } from "../exchange/output-channel.js";
import { RecordWriter, type MakeCombiner, type WriterPlan } from "../exchange/record-writer.js";
import { SpillFile } from "../exchange/spill-file.js";
import { MetricRegistry } from "../metrics/metric-registry.js";
import { createOperator } from "../operators/operator-registry.js";
import { mayCombine, WindowCombiner } from "../operators/window/window-combiner.js";
import type { ExecutionAttempt, SlotJob, TaskDeployment } from "../protocol/deployment.js";
import type { OperatorToCoordinator, SlotEvent } from "../protocol/messages.js";
import type { SinkServices } from "../sink/sink-writer-context.js";
import { ResultWindow } from "../sink/result-window.js";
import { SinkOperator } from "../sink/sink-operator.js";
import { SourceOperator } from "../source/source-operator.js";
import { createSimpleOperator } from "../chain/create-simple-operator.js";
import type { Activity } from "../task/activity.js";
import { taskEntry } from "./task-entry.js";
import { ChannelInput } from "../task/channel-input.js";
import { debloatingSettings, observeDebloating } from "../task/task-debloating.js";
import { FinishedInput, finishedOperator } from "../task/finished-task.js";
import { OperatorChain, type ChainCode, type ChainEdge } from "../task/operator-chain.js";
import { SourceInput } from "../task/source-input.js";
import type { TaskInput } from "../task/task-input.js";
import type { TaskParts, TaskSetting } from "../task/task-setting.js";
import { Task } from "../task/task.js";
import type { SlotChannels } from "./slot-channels.js";

/** Makes the tasks of one job in one slot. */
export class TaskBuilder {
  readonly #job: SlotJob;
  readonly #graph: StreamGraph;
  readonly #config: Configuration;
  readonly #channels: SlotChannels;
  readonly #ids: ChannelIds;
  readonly #held: HeldMemory;
  /** Of the tasks that have sinks, by vertex and subtask. */
  readonly #windows = new Map<string, ResultWindow>();
  readonly #compile: boolean;

  constructor(job: SlotJob, graph: StreamGraph, config: Configuration, channels: SlotChannels) {
    this.#job = job;
    this.#graph = graph;
    this.#config = config.with(RUNTIME_MODE, job.jobGraph.runtimeMode);
    this.#channels = channels;
    this.#ids = new ChannelIds(job.jobGraph);
    this.#held = new HeldMemory(config.get(BATCH_EXCHANGE_MEMORY));
    this.#compile = config.get(CHAIN_COMPILER) && canCompile();
  }

  build(deployment: TaskDeployment, setting: Omit<TaskSetting, "vertex" | "job">): Task {
    const vertex = this.#job.jobGraph.vertices.find(({ id }) => id === deployment.attempt.vertexId);
    if (vertex === undefined) throw new Error(`the plan has no vertex ${deployment.attempt.vertexId}`);
    const pressure = new OutputPressure();
    const full: TaskSetting = { ...setting, job: this.#job, vertex };
    const task = new Task(deployment, full, pressure);
    task.entry = taskEntry({ jobId: this.#job.jobGraph.jobId, ...deployment.attempt, label: task.label });
    // Both ends of every channel exist before any task runs.
    const edges = this.#outputs(deployment, vertex, full, pressure);
    const inputs = this.#inputs(task, vertex, full);
    task.start((adopt) => this.#assemble(task, full, pressure, edges, inputs, adopt));
    return task;
  }

  *#assemble(
    task: Task, setting: TaskSetting, pressure: OutputPressure, edges: readonly ChainEdge[], channels: readonly InputChannel[], adopt: (parts: TaskParts) => void,
  ): Activity {
    const { vertex, env } = setting;
    const { deployment } = task;
    const restored = new Map<string, OperatorStateBytes>();
    const finished = deployment.restore?.finished === true;
    for (const [operatorId, handles] of Object.entries(deployment.restore?.operators ?? {})) {
      yield readOperatorState(env.fs, handles).then((bytes) => void restored.set(operatorId, bytes));
    }
    // What had finished takes no records any more.
    for (const restore of finished ? [] : (deployment.restore?.inFlight ?? [])) {
      const edge = this.#job.jobGraph.edges.find(({ id }) => id === restore.edgeId)!;
      const ofEdge = channels.filter(({ edgeId }) => edgeId === edge.id);
      const target = { partitioner: this.#partitioner(edge), subtaskIndex: deployment.attempt.subtaskIndex, parallelism: vertex.parallelism, maxParallelism: vertex.maxParallelism };
      yield recoverInFlight(env.fs, restore, target, ofEdge);
    }
    const sources = new GeneratedSources();
    const code = this.#code(task, pressure, sources);
    const chain = new OperatorChain(vertex, this.#graph, edges, code, (error, node) => blame(error, node, sources, deployment.attempt.subtaskIndex));
    const metrics = new MetricRegistry(env.clock);
    const create = (node: ChainNode, spec: OperatorSpec, context: TaskOperatorContext): Operator =>
      finished && !(spec.type === "sink" && restored.has(node.plan.id)) ? finishedOperator : this.#operator(task, setting, pressure, code, node, spec, context);
    chain.create(this.#facilities(task, setting), metrics, restored, create);
    const { head } = chain;
    if (channels.some(({ recoveredCombined }) => recoveredCombined) && !finished && !mayCombine(head.stream.spec)) throw sumsUnmatched(head.name);
    const source = head.operator instanceof SourceOperator ? head.operator : undefined;
    let input: TaskInput;
    if (finished) input = new FinishedInput(chain, channels, (barrier) => task.checkpoint(barrier));
    else if (source !== undefined) input = new SourceInput(source, task.turn, env.clock, (barrier) => task.checkpoint(barrier));
    else {
      const entries = Array.from({ length: head.plan.numberOfInputs }, (_, index) => code.entry(head, index));
      input = new ChannelInput(head, entries, channels, deployment.attempt.subtaskIndex, task.turn, env.clock, {
        checkpoint: (barrier, alignment) => task.checkpoint(barrier, alignment),
        checkpointAbandoned: (checkpointId, reason) => task.checkpointAbandoned(checkpointId, reason),
        inputEnded: (index) => task.inputEnded(index),
        wake: () => task.wake(),
      }, debloatingSettings(this.#config));
    }
    observeDebloating(input, metrics);
    for (const node of chain.nodes) this.#observeLatency(node, metrics, setting);
    adopt({ chain, input, inputs: source === undefined && !finished ? head.plan.numberOfInputs : 0, source, sources, metrics });
  }

  #observeLatency(node: ChainNode, metrics: MetricRegistry, { env }: TaskSetting): void {
    const granularity = this.#config.get(METRICS_LATENCY_GRANULARITY);
    const nameOf = (operatorId: string, subtaskIndex: number): string => {
      if (granularity === "SINGLE") return "all_sources";
      return granularity === "OPERATOR" ? `source_id.${operatorId}` : `source_id.${operatorId}.source_subtask_index.${subtaskIndex}`;
    };
    node.onLatencyMark = (markedTimeMs, operatorId, subtaskIndex) => {
      metrics.group(node.name, "latency").histogram(nameOf(operatorId, subtaskIndex)).update(Math.max(0, env.clock.nowMs() - markedTimeMs));
    };
  }

  #operator(
    task: Task, setting: TaskSetting, pressure: OutputPressure, code: ChainCode & SourceCode, node: ChainNode, spec: OperatorSpec, context: TaskOperatorContext,
  ): Operator {
    const clock = { activeMs: () => task.accounts.activeMs(setting.env.clock.monotonicMs()) };
    if (spec.type === "source") {
      return new SourceOperator(context, spec, {
        net: setting.env.outside,
        clock,
        pressure,
        codeId: this.#codeId(task),
        entry: () => code.sourceEntry(node),
        generatingEntry: () => code.generatingEntry?.(node),
        send: (event) => this.#toCoordinator(task, setting, node, event),
        wake: () => task.wake(),
        latencyMark: (markedTimeMs) => node.forwardLatencyMark(markedTimeMs, node.plan.id, context.subtaskIndex),
        fail: (error) => task.fail(error),
      });
    }
    if (spec.type === "sink") return new SinkOperator(context, spec, this.#sinkServices(task, setting));
    if (spec.type === "map" || spec.type === "filter" || spec.type === "flatMap" || spec.type === "timestamps") return createSimpleOperator(spec, context, clock);
    return createOperator(spec, context, { runtimeMode: this.#job.jobGraph.runtimeMode, keySelectors: node.keySelectors });
  }

  #sinkServices(task: Task, setting: TaskSetting): SinkServices {
    const encoder = new BatchEncoder();
    const { attempt } = task.deployment;
    const window = this.#window(attempt);
    return {
      log: (level, line) => {
        if (level !== "print") return setting.log(level, line);
        setting.send({ type: "log", level, line, attempt });
        return window.sent(line.length);
      },
      collect: (collectId, values) => {
        const batch = encoder.encode(RecordBatch.withoutTimestamps([...values]));
        const { byteLength } = batch;
        const event: SlotEvent = {
          type: "collected", epoch: setting.epoch, collectId, subtaskIndex: attempt.subtaskIndex, batch, afterCheckpoint: task.lastCheckpointId, attempt,
        };
        setting.send(event, [batch]);
        return window.sent(byteLength);
      },
      committed: () => task.wake(),
      fail: (error) => task.fail(error),
    };
  }

  /** The program has taken results of a task. */
  resultsTaken(attempt: ExecutionAttempt, bytes: number): void {
    this.#window(attempt).taken(bytes);
  }

  #window({ vertexId, subtaskIndex }: ExecutionAttempt): ResultWindow {
    const key = `${vertexId}:${subtaskIndex}`;
    let window = this.#windows.get(key);
    if (window === undefined) {
      window = new ResultWindow(this.#job.tellsResultsTaken === true ? this.#config.get(COLLECT_WINDOW) : Number.POSITIVE_INFINITY);
      this.#windows.set(key, window);
    }
    return window;
  }

  #toCoordinator(task: Task, setting: TaskSetting, node: ChainNode, event: OperatorToCoordinator): void {
    setting.send({ type: "coordinatorEvent", epoch: setting.epoch, operatorId: node.plan.id, subtaskIndex: task.deployment.attempt.subtaskIndex, event });
  }

  #code(task: Task, pressure: OutputPressure, sources: GeneratedSources): ChainCode & SourceCode {
    const freeze = this.#config.get(FREEZE_RECORDS);
    const { subtaskIndex } = task.deployment.attempt;
    if (this.#compile) {
      const compiler = new ChainCompiler(this.#codeId(task), pressure, freeze, sources);
      return {
        output: (node) => compiler.output(node),
        entry: (head, input) => compiler.entry(head, input),
        sourceEntry: (head) => compiler.sourceEntry(head),
        generatingEntry: (head) => compiler.generatingEntry(head),
      };
    }
    return {
      output: (node) => referenceOutput(node, pressure, freeze, subtaskIndex),
      entry: (head, input) => referenceEntry(head, input, subtaskIndex),
      sourceEntry: (head) => referenceSourceEntry(head),
    };
  }

  /** Unique in this process, so that no two chains share generated text. */
  #codeId(task: Task): string {
    const { vertexId, subtaskIndex, attemptNumber } = task.deployment.attempt;
    return `${this.#job.jobGraph.jobId.slice(0, 8)}-${vertexId.slice(0, 8)}-${this.#job.slotIndex}-${subtaskIndex}-${attemptNumber}`;
  }

  #facilities(task: Task, setting: TaskSetting): TaskFacilities {
    const { jobGraph } = this.#job;
    const { attempt } = task.deployment;
    const { env, vertex } = setting;
    return {
      jobId: jobGraph.jobId,
      subtaskIndex: attempt.subtaskIndex,
      parallelism: vertex.parallelism,
      maxParallelism: vertex.maxParallelism,
      attemptNumber: attempt.attemptNumber,
      config: this.#config,
      clock: env.clock,
      fs: env.fs,
      processingTime: task.processingTime,
      mailbox: task.mailbox,
      info: {
        jobName: jobGraph.jobName, taskName: vertex.name, jobParameters: jobGraph.parameters, cachedFiles: jobGraph.cachedFiles, accumulators: task.accumulators,
      },
      random: () => env.rng.next(),
      suspendUntil: (work) => task.suspendUntil(work),
    };
  }

  #outputs(deployment: TaskDeployment, vertex: JobVertex, setting: TaskSetting, pressure: OutputPressure): ChainEdge[] {
    const { jobGraph, slotIndex } = this.#job;
    const { subtaskIndex } = deployment.attempt;
    return jobGraph.edges.filter((edge) => edge.sourceVertexId === vertex.id).map((edge) => {
      const target = this.#vertex(edge.targetVertexId);
      const overtakable = this.#overtakable(target.id);
      const capacity = vertex.bufferTimeoutMs === 0 ? 1 : this.#config.get(BATCH_SIZE);
      const targets = targetsOf(edge.partitioner, subtaskIndex, vertex.parallelism, target.parallelism);
      const slots = deployment.slotOfSubtask[target.id]!;
      const channels = targets.map((to) => {
        const receiver = slots[to]!;
        const transport = this.#channels.output(this.#ids.of(edge.id, subtaskIndex, to), receiver, slotIndex, edge.exchange === "blocking", pressure);
        const place = { operatorId: edge.sourceOperatorId, edgeId: edge.id, from: subtaskIndex, to, side: "output" as const };
        return new OutputChannel(transport, capacity, edge.partitioner === "hash", overtakable ? place : undefined);
      });
      const plan: WriterPlan = {
        partitioner: this.#partitioner(edge), subtaskIndex, maxParallelism: target.maxParallelism, targetName: target.operators[0]!.name,
        random: () => setting.env.rng.next(), overtakable,
      };
      // The sums of a single sender have one order to be added up in, which may show in how they are rounded.
      const pays = vertex.parallelism > 1 && targets.some((to) => this.#channels.leavesProcess(slots[to]!, slotIndex));
      const combines = capacity > 1 && channels.length > 1 && (this.#config.get(COMBINE_WINDOWS) ?? pays);
      const combiner = combines ? this.#combiner(edge, plan, channels, setting) : undefined;
      return { sourceOperatorId: edge.sourceOperatorId, sideOutput: edge.sideOutput, writer: new RecordWriter(plan, channels, combiner) };
    });
  }

  /** Makes what adds records up in front of a window operator, where that is possible. */
  #combiner(edge: JobEdge, plan: WriterPlan, channels: readonly OutputChannel[], { env }: TaskSetting): MakeCombiner | undefined {
    const node = this.#graph.nodes.find(({ id }) => id === edge.targetNodeId)!;
    const { partitioner } = plan;
    if (partitioner.kind !== "hash" || edge.exchange === "blocking" || !mayCombine(node.spec)) return undefined;
    const { spec } = node;
    return (channelOfKeyGroup) => new WindowCombiner({
      spec, keySelector: partitioner.keySelector, channels, channelOfKeyGroup, maxParallelism: plan.maxParallelism, clock: env.clock,
      operatorName: node.name, operatorId: this.#vertex(edge.targetVertexId).operators[0]!.id, subtaskIndex: plan.subtaskIndex,
    });
  }

  #inputs(task: Task, vertex: JobVertex, setting: TaskSetting): InputChannel[] {
    const { jobGraph, slotIndex } = this.#job;
    const { deployment } = task;
    const { subtaskIndex } = deployment.attempt;
    const overtakable = this.#overtakable(vertex.id);
    return jobGraph.edges.filter((edge) => edge.targetVertexId === vertex.id).flatMap((edge) => {
      const source = this.#vertex(edge.sourceVertexId);
      return sourcesOf(edge.partitioner, subtaskIndex, source.parallelism, vertex.parallelism).map((from) => {
        const channel = this.#channels.input(this.#ids.of(edge.id, from, subtaskIndex), deployment.slotOfSubtask[source.id]![from]!, slotIndex);
        channel.inputIndex = edge.inputIndex;
        channel.edgeId = edge.id;
        channel.sender = from;
        channel.overtakable = overtakable;
        if (edge.exchange === "blocking") channel.held = this.#holdingPlace(channel.id, task, setting);
        channel.freezes = this.#config.get(FREEZE_RECORDS);
        return channel;
      });
    });
  }

  #overtakable(vertexId: string): boolean {
    return this.#config.get(CHECKPOINTING_UNALIGNED) && mayOvertakeInto(vertexId, this.#job.jobGraph, this.#config.get(CHECKPOINTING_UNALIGNED_FORCED));
  }

  #holdingPlace(channelId: number, task: Task, { env, epoch, wake }: TaskSetting): HoldingPlace {
    const { temporaryDirectory, slotIndex } = this.#job;
    const path = `${temporaryDirectory}/exchange-${epoch}-${slotIndex}-${channelId}`;
    return {
      memory: this.#held,
      openSpillFile: () => new SpillFile(env.fs, path, (error) => task.fail(error)),
      wake: () => wake(task),
    };
  }

  #vertex(id: string): JobVertex {
    return this.#job.jobGraph.vertices.find((vertex) => vertex.id === id)!;
  }

  /** The functions of hash and custom edges come from the captured graph; the kind from the plan. */
  #partitioner(edge: JobEdge): RecordWriter["plan"]["partitioner"] {
    if (edge.partitioner !== "hash" && edge.partitioner !== "custom") return { kind: edge.partitioner };
    const node = this.#graph.nodes.find(({ id }) => id === edge.targetNodeId);
    const partitioner = node?.inputs[edge.targetEdgeIndex]?.partitioner;
    if (partitioner !== undefined && partitioner.kind === edge.partitioner) return partitioner;
    throw new MillraceError({
      code: "GRAPH_MISMATCH",
      message: `edge ${edge.targetEdgeIndex} into "${node?.name ?? edge.targetNodeId}" is not the ${edge.partitioner} edge of the plan`,
      hint: "the job is not deterministic: its graph differs between runs",
    });
  }
}

/** Code of chains whose head is a source. */
interface SourceCode {
  sourceEntry(head: ChainNode): ChainEntry;
  generatingEntry?(head: ChainNode): GeneratingEntry;
}

function sumsUnmatched(operator: string): MillraceError {
  return new MillraceError({
    code: "CHECKPOINT_IN_FLIGHT_UNMATCHED",
    message: `the unaligned checkpoint holds what senders had added up for "${operator}", which takes records only now`,
    hint: "restore with the windows as they were (assigner, trigger, evictor, a function that merges), or change them over a savepoint",
  });
}
