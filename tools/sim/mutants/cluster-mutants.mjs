const jobMaster = "cluster/dist/job-master/job-master.js";
const parties = "cluster/dist/job-master/checkpointed-job.js";
const deployer = "cluster/dist/job-master/job-deployer.js";
const region = "cluster/dist/job-master/region-deployment.js";
const executions = "cluster/dist/job-master/execution-graph.js";
const coordinator = "cluster/dist/checkpoint/checkpoint-coordinator.js";
const pending = "cluster/dist/checkpoint/pending-checkpoint.js";
const store = "cluster/dist/checkpoint/completed-checkpoint-store.js";
const shared = "cluster/dist/checkpoint/shared-files.js";
const restore = "cluster/dist/checkpoint/restore.js";
const sources = "cluster/dist/job-master/source-coordinators.js";
const slots = "cluster/dist/scheduler/cluster-slots.js";
const resources = "cluster/dist/resource-manager/resource-manager.js";
const taskManager = "cluster/dist/task-manager/task-manager.js";
const rpc = "cluster/dist/rpc/rpc-connection.js";

/** Of the control plane. */
export const clusterMutants = [
  // A checkpoint: complete, or not.
  { id: "slow-metadata-counts", against: "a checkpoint counts that is not durable", file: coordinator,
    find: "await writeMetadata(this.#init.env.fs, pending.path, metadata);", replace: "await Promise.race([writeMetadata(this.#init.env.fs, pending.path, metadata).catch(() => undefined), new Promise((resolve) => this.#init.env.clock.setTimer(30, resolve))]);" },
  { id: "complete-although-metadata-failed", against: "a checkpoint counts that is not durable", file: coordinator,
    find: "this.#abort(pending, { message: `cannot write its metadata: ${cause.message}`, counts: true, cause });", replace: "void cause;" },
  { id: "aborted-completes", against: "a checkpoint of a failed attempt is committed", file: coordinator,
    find: 'if (pending.state === "aborted") {\n            // Not', replace: 'if (false) {\n            // Not' },
  { id: "aborted-keeps-files", against: "a checkpoint that nobody knows of is found later", file: coordinator,
    find: "await this.#init.store.deleteFiles(pending.path);\n            this.#aborted.push(pending.path);", replace: "",
    survives: "harmless unless the JobManager dies within one interval of the failure that hit a metadata file half written: the submission that follows then begins from it; checkpoints.test.ts sees the file" },
  { id: "decline-is-ignored-and-counts", against: "a task's state is missing from a checkpoint", file: coordinator,
    find: "this.#abort(pending, { message: `declined: ${event.error.message}`, counts: event.error.code !== \"CHECKPOINT_SUBSUMED\", cause: deserializeError(event.error) });",
    replace: "if (pending.addTask(event.attempt, { operators: {}, stateBytes: 0, writtenBytes: 0 }) && pending.tasksDone) void this.#complete(pending);" },
  { id: "ids-start-again", against: "ids of checkpoints are used twice", file: coordinator,
    find: "this.#nextId = Math.max(this.#nextId, checkpointId + 1);", replace: "void checkpointId;" },
  { id: "stop-keeps-pending", against: "a checkpoint outlives the attempt that it belongs to", file: coordinator,
    find: "this.#graph = undefined;\n        for (const pending of this.#pending.values())\n            this.#abort(pending, { message: reason, counts: false, error });", replace: "void reason;" },
  { id: "notify-before-metadata", against: "sinks commit what may never be complete", file: coordinator,
    find: 'pending.state = "completing";', replace: 'pending.state = "completing"; this.#init.parties.notifyComplete({ path: pending.path, metadata: { checkpointId: pending.checkpointId } });' },
  { id: "first-acknowledgement-is-enough", against: "a task's state is missing from a checkpoint", file: pending,
    find: "return this.#waitingTasks.size === 0;", replace: "return this.#waitingTasks.size <= 1;" },
  { id: "coordinator-state-is-dropped", against: "splits are assigned twice after a failover of their coordinator", file: pending,
    find: "this.#coordinatorState.set(operatorId, state);", replace: "void state;" },
  { id: "finished-tasks-run-again", against: "finished tasks start over after a restore", file: pending,
    find: "...(subtasks.length === 0 || this.options.final === true ? { finished: true } : {}),", replace: "",
    survives: "what runs again has neither splits nor state, and no step of the simulated jobs emits anything of its own at the end of input" },
  // Files of checkpoints.
  { id: "shared-files-are-forgotten", against: "files that a live checkpoint shares are deleted", file: shared,
    find: "directories.add(parentOf(resolveFile(path, file.path)));", replace: "void file;",
    survives: "a checkpoint is incremental from thousands of keys on, which no simulated job has; shared-files.test.ts and e2e/incremental-checkpoints.test.ts see it" },
  { id: "latest-is-deleted", against: "files of a live checkpoint are deleted", file: store,
    find: "own.slice(0, -this.#retained)", replace: "own.filter((one) => !own.slice(-this.#retained - 1, -1).includes(one))" },
  { id: "restores-the-oldest", against: "a restore goes back behind what is committed", file: store,
    find: "return this.#checkpoints.at(-1);", replace: "return this.#checkpoints.at(0);" },
  { id: "restored-is-deleted", against: "the checkpoint a job was started from is deleted under it", file: store,
    find: "...this.#checkpoints.filter((checkpoint) => !checkpoint.external)]", replace: "...this.#checkpoints]" },
  // Restore.
  { id: "keyed-state-by-subtask", against: "key groups misrouted when the parallelism changes", file: "state/dist/operator/redistribute.js",
    find: "keyGroupRange(maxParallelism, newParallelism, subtask)", replace: "keyGroupRange(maxParallelism, Math.max(newParallelism, handles.length), subtask)" },
  { id: "operator-state-of-first-subtask", against: "operator state lost when the parallelism changes", file: restore,
    find: "redistributeOperatorState(handles, parallelism)[subtaskIndex]", replace: "redistributeOperatorState(handles.slice(0, parallelism), parallelism)[subtaskIndex]" },
  { id: "coordinators-start-afresh", against: "splits are assigned twice after a failover of their coordinator", file: restore,
    find: "return state === undefined ? undefined : fromBase64(state);", replace: "return undefined;" },
  { id: "restore-is-forgotten", against: "an attempt starts from nothing", file: jobMaster,
    find: "const checkpoint = this.#store.latest;", replace: "const checkpoint = undefined;" },
  // The job.
  { id: "stale-attempts-have-effect", against: "an event of a stale attempt has an effect", file: region,
    find: 'if (!("epoch" in event) || event.epoch === epoch)', replace: "",
    also: [
      { file: deployer, find: "if (this.#regions.isCurrent(deployment))", replace: "" },
      { file: executions, find: "return execution?.attempt.attemptNumber === attempt.attemptNumber ? execution : undefined;", replace: "return execution;" },
      { file: slots, find: "await Promise.all(this.#parts.map((part) => this.#releasePart(part)));", replace: "void Promise.all(this.#parts.map((part) => this.#releasePart(part)));" },
      { file: slots, find: "this.#router.remove(allocationId);", replace: "" },
      { file: slots, find: "this.#lease.onLost = undefined;", replace: "" },
      { file: slots, find: "if (this.#released === undefined && part.slots.includes(slotIndex))", replace: "" },
      { file: taskManager, find: "if (connection !== this.#connection || !this.#allocations.has(allocationId))\n            return;", replace: "" },
    ] },
  { id: "attempts-keep-their-number", against: "a stale attempt cannot be told from the current one", file: executions,
    find: "attemptNumber: attempt.attemptNumber + 1", replace: "attemptNumber: attempt.attemptNumber",
    also: [{ file: deployer, find: "this.#init.firstAttempt + this.#plans++", replace: "0" }] },
  { id: "failure-report-is-lost", against: "a lost failure report wedges the job", file: jobMaster,
    find: 'case "slotFailed": return this.#onSlotFailed(deployment, slotIndex, event.error);', replace: 'case "slotFailed": return undefined;' },
  { id: "deployed-while-allocating", against: "a job is deployed twice at once", file: region,
    find: "await this.#allocation;", replace: "" },
  { id: "redeploys-without-release", against: "the next attempt starts beside the last one", file: region,
    find: "await slots?.release();", replace: "void slots;" },
  { id: "finishes-with-restored-committables", against: "the last committables of finished tasks are lost", file: "runtime/dist/sink/sink-operator.js",
    find: "return this.pending.length > 0 || this.unassigned.length > 0 || this.committing !== undefined;", replace: "return !this.restored && (this.pending.length > 0 || this.unassigned.length > 0 || this.committing !== undefined);",
    also: [{ file: "runtime/dist/sink/sink-operator.js", find: "const writerContext = sinkWriterContext(", replace: "this.restored = state.restoredCheckpointId !== undefined; const writerContext = sinkWriterContext(" }] },
  { id: "notifications-are-lost-after-a-restart", against: "committables wait for ever", file: jobMaster,
    find: "return checkpointParties({", replace: "return checkpointParties({ restarted: () => this.#restarts > 0,",
    also: [
      { file: parties, find: "results, adaptive, failJob })", replace: "results, adaptive, failJob, restarted })" },
      { file: parties, find: 'regions().notifyCheckpoint("checkpointComplete", checkpointId);', replace: 'if (!restarted()) regions().notifyCheckpoint("checkpointComplete", checkpointId);' },
    ] },
  // Coordinators of sources.
  { id: "coordinator-events-are-not-held", against: "a split is lost between its coordinator and its reader", file: sources,
    find: "if (this.#links.holds(operatorId))", replace: "if (false)" },
  // Slots and TaskManagers.
  { id: "lost-task-manager-is-not-told", against: "a lost TaskManager wedges the job", file: resources,
    find: "for (const grant of registration.grants)\n            grant.onLost?.(registration.lost);", replace: "" },
  { id: "reborn-task-manager-is-the-same", against: "a TaskManager reborn within the heartbeat timeout", file: resources,
    find: 'this.unregister(before, new MillraceError({ code: "TASK_MANAGER_LOST", message: "it registered again", recovery: "restart" }));', replace: "",
    also: [{ file: slots, find: "this.#env.clock.yieldThen(() => this.#onEvent(part, slotIndex, { type: \"slotFailed\", error: serializeError(error) }));", replace: "void error;" }] },
  { id: "slots-are-not-given-back", against: "slots leak", file: slots,
    find: "this.#lease.free();", replace: "" },
  { id: "slots-are-not-closed", against: "a zombie attempt keeps its slots", file: slots,
    find: 'await taskManager.connection.request("closeSlots", { allocationId });', replace: "void allocationId;" },
  { id: "zombie-task-manager", against: "a zombie TaskManager after a partition", file: taskManager,
    find: "this.#closing = this.#closeAll();", replace: "" },
  { id: "no-heartbeat-timeout", against: "a silent partner is waited for for ever", file: rpc,
    find: "if (silentMs > this.#heartbeat.timeoutMs)", replace: "if (false)" },
  { id: "open-calls-wait-for-ever", against: "a lost reply wedges its caller", file: rpc,
    find: "for (const { reject } of calls)\n            reject(this.#lost);", replace: "" },
  { id: "token-is-not-checked", against: "two leaders", file: rpc,
    find: "if (token !== this.token)\n                throw staleToken(method);\n            this.#handler.tell(method, body);", replace: "this.#handler.tell(method, body);",
    survives: "a connection begins and ends with one leader, so a foreign token needs a peer that breaks the protocol; rpc.test.ts has one" },
];
