const aligner = "runtime/dist/input/barrier-aligner.js";
const valve = "runtime/dist/input/watermark-valve.js";
const checkpoints = "runtime/dist/task/task-checkpoints.js";
const sink = "runtime/dist/sink/sink-operator.js";
const committables = "runtime/dist/sink/committables.js";
const transport = "runtime/dist/exchange/remote-transport.js";
const redistribute = "state/dist/operator/redistribute.js";
const timers = "state/dist/timers/heap-timer-service.js";
const queue = "state/dist/timers/timer-queue.js";
const sourceCoordinator = "runtime/dist/source/source-coordinator.js";
const sourceOperator = "runtime/dist/source/source-operator.js";

/** Of what runs in slots. */
export const runtimeMutants = [
  { id: "no-alignment", against: "records behind a barrier are in the snapshot", file: aligner,
    find: "channel.blockedByBarrier = true;", replace: "" },
  { id: "first-barrier-is-enough", against: "records before a barrier are missing from the snapshot", file: aligner,
    find: "if (barrier === undefined || !this.#channels.every((channel) => channel.closed || this.#arrived.has(channel)))", replace: "if (barrier === undefined)" },
  { id: "late-barriers-count", against: "an aborted checkpoint is taken after all", file: aligner,
    find: "if (barrier.checkpointId <= this.#lastId)\n            return false;", replace: "" },
  { id: "aborted-alignment-stays-blocked", against: "an aborted alignment wedges its task", file: aligner,
    find: 'this.#abandon("it was aborted");', replace: "void 0;",
    also: [
      { file: aligner, find: "this.#abandon(`checkpoint ${barrier.checkpointId} overtook it`);", replace: "return false;" },
      { file: aligner, find: "if (this.#barrier?.checkpointId === barrier.checkpointId)\n            return true;", replace: "if (this.#barrier?.checkpointId === barrier.checkpointId) return barrier.checkpointId > this.#lastId;" },
    ] },
  { id: "acknowledged-before-written", against: "a checkpoint counts that is not durable", file: checkpoints,
    find: "(error) => done(() => this.#host.decline(checkpointId, error))", replace: "() => done(() => this.#host.acknowledge(checkpointId, { operators: {}, stateBytes: 0, writtenBytes: 0 }, { ...metrics, asyncDurationMs: 0 }))" },
  { id: "watermark-may-fall", against: "a watermark goes back", file: valve,
    find: "if (timestampMs <= this.#lastWatermarkMs)\n            return;", replace: "",
    also: [
      { file: valve, find: "channel.active = true;\n            if (channel.watermarkMs >= this.#lastWatermarkMs)\n                channel.aligned = true;", replace: "channel.active = true;\n            channel.aligned = true;" },
      { file: valve, find: "!channel.active || timestampMs <= channel.watermarkMs)", replace: "!channel.active)" },
      { file: "runtime/dist/task/channel-input.js", find: "if (this.#combined.setWatermark(input, watermarkMs))\n            this.#controls.push({ watermarkMs: this.#combined.watermarkMs });",
        replace: "if (this.#combined.setWatermark(input, watermarkMs) || watermarkMs < this.#combined.watermarkMs) this.#controls.push({ watermarkMs: Math.min(watermarkMs, this.#combined.watermarkMs) });" },
      { file: timers, find: "if (timestampMs > this.currentWatermark)\n            this.currentWatermark = timestampMs;", replace: "this.currentWatermark = timestampMs;" },
    ] },
  // Sinks.
  { id: "committables-are-not-stored", against: "uncommitted transactions are missing from the next checkpoint", file: sink,
    find: "this.committableState?.update(this.pending.map(({ checkpointId, committable }) => [checkpointId, this.committableCodec.encode(committable)]));", replace: "" },
  { id: "only-new-committables-are-stored", against: "uncommitted transactions are missing from the next checkpoint", file: sink,
    find: "this.committableState?.update(this.pending.map(", replace: "this.committableState?.update(this.pending.filter(({ checkpointId }) => checkpointId === context.checkpointId).map(" },
  { id: "commits-at-prepare", against: "a transaction is committed before its checkpoint is complete", file: sink,
    find: "for (const committable of committables)\n            this.pending.push({ checkpointId, committable });", replace: "for (const committable of committables)\n            this.pending.push({ checkpointId, committable });\n        this.startCommit(checkpointId);" },
  { id: "commits-what-is-newer", against: "a transaction is committed before its checkpoint is complete", file: sink,
    find: "const due = this.pending.filter((pending) => pending.checkpointId <= checkpointId);", replace: "const due = this.pending.filter(() => checkpointId >= 0);" },
  { id: "restored-is-not-committed", against: "a prepared transaction is left", file: sink,
    find: "await this.commitUpTo(Number.MAX_SAFE_INTEGER);\n        }\n        await this.createWriter", replace: "this.pending = [];\n        }\n        await this.createWriter" },
  { id: "retry-is-forgotten", against: "a lost reply of a commit", file: committables,
    find: "const again = requests.filter((request) => request.retry);", replace: "const again = [];" },
  { id: "end-of-input-is-not-stored", against: "the last committables of finished tasks are lost", file: sink,
    find: "this.committableState?.update(this.pending.map(", replace: "this.committableState?.update((this.finished ? [] : this.pending).map(" },
  // Exchange.
  { id: "recovered-records-give-credits", against: "credits are not conserved", file: "runtime/dist/exchange/input-channel.js",
    find: "return (this.recoveredBatch = element.batch);", replace: "{\n            this.credit?.batchConsumed();\n            return (this.recoveredBatch = element.batch);\n        }" },
  { id: "events-overtake-buffers", against: "a barrier overtakes records", file: transport,
    find: "if (this.#pending.length > 0)\n            this.#pending.push(event);\n        else\n            this.#connection.postEvent(this.channelId, event);", replace: "this.#connection.postEvent(this.channelId, event);" },
  { id: "credits-are-lost", against: "credits are not conserved", file: transport,
    find: "this.#connection.returnCredits(this.#channelId, extra);", replace: "this.#connection.returnCredits(this.#channelId, Math.min(extra, 2));" },
  // State.
  { id: "keyed-state-is-cut-wrongly", against: "key groups misrouted when the parallelism changes", file: redistribute,
    find: "keyGroup >= first && keyGroup <= last", replace: "keyGroup > first && keyGroup <= last" },
  { id: "split-state-goes-to-all", against: "list state grows at each restore", file: redistribute,
    find: 'mode === "UNION" ||', replace: 'mode !== "BROADCAST" ||' },
  { id: "split-state-remainder-is-lost", against: "operator state lost when the parallelism changes", file: redistribute,
    find: "(i < remainder ? 1 : 0)", replace: "0" },
  { id: "timers-are-restored-twice", against: "a timer fires twice", file: queue,
    find: "this.add(row, namespace, timeMs, sequence);\n    }\n    /** The first", replace: "this.add(row, namespace, timeMs, sequence);\n        this.add(row, namespace, timeMs, sequence);\n    }\n    /** The first" },
  { id: "timers-are-not-restored", against: "timers are lost at a restore", file: queue,
    find: "this.add(row, namespace, timeMs, sequence);\n    }\n    /** The first", replace: "}\n    /** The first" },
  // Sources.
  { id: "reader-positions-are-not-stored", against: "splits start over after a restore", file: sourceOperator,
    find: "        this.#store(splits);", replace: "        this.#store([]);" },
  { id: "restored-enumerator-is-fresh", against: "splits are assigned twice after a failover of their coordinator", file: sourceCoordinator,
    find: "restored === undefined ? undefined : this.#stateCodec.decode(restored)", replace: "undefined" },
  // Async calls.
  { id: "calls-in-flight-are-lost", against: "records in flight are missing from the snapshot", file: "runtime/dist/operators/async/async-operator.js",
    find: "this.#inFlight.update(this.#queue.records().map(({ value, timestampMs }) => ({ value, timestampMs })));", replace: "this.#inFlight.update([]);" },
];
