const coordinator = "cluster/dist/checkpoint/checkpoint-coordinator.js";
const initial = "cluster/dist/checkpoint/initial-checkpoint.js";
const restoreInFlight = "cluster/dist/checkpoint/restore-in-flight.js";
const recovered = "cluster/dist/high-availability/recovered-checkpoints.js";
const jobCheckpoints = "cluster/dist/high-availability/job-checkpoints.js";
const pointers = "cluster/dist/high-availability/checkpoint-pointers.js";
const term = "cluster/dist/high-availability/leader-term.js";
const persistence = "cluster/dist/dispatcher/job-persistence.js";
const runner = "cluster/dist/dispatcher/job-manager-runner.js";
const fileStore = "cluster/dist/high-availability/file/file-store.js";
const fileElection = "cluster/dist/high-availability/file/file-election.js";
const taskManager = "cluster/dist/task-manager/task-manager.js";
const task = "runtime/dist/task/task.js";
const aligner = "runtime/dist/input/barrier-aligner.js";
const transport = "runtime/dist/exchange/remote-transport.js";
const recoverInFlight = "runtime/dist/checkpoint/recover-in-flight.js";

/** Of high availability, savepoints, rescaling and unaligned checkpoints. */
export const featureMutants = [
  // Leaders.
  { id: "told-before-committed", against: "sinks commit what the next leader does not know of", file: coordinator,
    find: "if (isRestorable && !(await this.#keep(pending, checkpoint)))\n            return;", replace: "if (isRestorable) void this.#keep(pending, checkpoint);" },
  { id: "refused-commit-counts", against: "a deposed leader believes that it has committed", file: term,
    find: 'if (this.#over || (isMillraceError(error) && error.code === "LEADERSHIP_LOST"))\n                    return await never();', replace: 'if (this.#over || (isMillraceError(error) && error.code === "LEADERSHIP_LOST")) return undefined;' },
  { id: "undecided-commit-counts", against: "a commit that perhaps was not made counts as made", file: term,
    find: "if (!passes(error))\n                    throw error;", replace: "return undefined;" },
  { id: "next-leader-restores-the-oldest", against: "a new leader goes back behind what is committed", file: recovered,
    find: "return this.#files.latest;", replace: "return this.#files.all.at(0);" },
  { id: "unreachable-checkpoint-counts-as-lost", against: "a new leader goes back behind what is committed", file: recovered,
    find: "if (!isMillraceError(error) || !LOST_CHECKPOINT.includes(error.code))\n                    throw error;", replace: "" },
  { id: "files-go-before-their-pointers", against: "the next leader points to files that are deleted", file: recovered,
    find: "await pointers.change([pointerOf(checkpoint)], dropped, discarding.map(pointerOf));\n        this.#files.add(checkpoint);", replace: "this.#files.add(checkpoint);\n        await pointers.change([pointerOf(checkpoint)], dropped, discarding.map(pointerOf));" },
  { id: "each-leader-counts-from-one", against: "ids of checkpoints are used twice", file: jobCheckpoints,
    find: "() => this.#ids.getAndIncrement()", replace: "async () => (this.counted = (this.counted ?? 0) + 1)" },
  { id: "id-counter-is-not-stored", against: "ids of checkpoints are used twice", file: pointers,
    find: "await this.#put(id + 1, stored?.version ?? \"absent\");\n        return id;", replace: "return (globalThis[this.#key + this.#fencingToken] = (globalThis[this.#key + this.#fencingToken] ?? id - 1) + 1);" },
  { id: "claimed-id-is-forgotten", against: "claim mode and a change of leaders", file: jobCheckpoints,
    find: "if (external || claimed === true)", replace: "if (false)" },
  { id: "each-leader-counts-attempts-from-zero", against: "two leaders", file: persistence,
    find: "return this.#init.term.fencingToken * ATTEMPTS_PER_LEADER;", replace: "return 0;" },
  { id: "plans-are-not-stored", against: "a leader's jobs are lost with it", file: persistence,
    find: "await this.#init.stores.executionPlans.put(", replace: "void (" },
  { id: "deposed-leader-keeps-its-task-managers", against: "two leaders", file: runner,
    find: "this.#server.closeConnections();", replace: "",
    also: [
      { file: runner, find: "leader?.suspend();", replace: "" },
      { file: taskManager, find: "if (this.#stopped || connection?.token === String(this.#newestToken))", replace: "if (this.#stopped || connection !== undefined)" },
    ] },
  { id: "commits-after-a-newer-claim", against: "two leaders", file: fileStore,
    find: "if (newest !== token) {", replace: "if (newest !== token && false) {",
    also: [{ file: fileElection, find: 'return this.#lose(token, "another JobManager claimed the leadership");', replace: "void 0;" }] },
  { id: "new-leader-forgets-the-state", against: "a leader's jobs are lost with it", file: fileElection,
    find: "const table = await newestState(layout, token, token);", replace: "const table = await newestState(layout, token, 1);" },
  // Savepoints.
  { id: "stop-savepoint-is-subsumed", against: "a savepoint is deleted by the job it was taken of", file: coordinator,
    find: "external: isSavepoint, stop: options.stop };", replace: "external: false, stop: options.stop };" },
  { id: "stop-savepoint-is-not-recovered-from", against: "what a job stopped behind is not where it goes on", file: coordinator,
    find: "const isRestorable = !isSavepoint || options.stop !== undefined;", replace: "const isRestorable = !isSavepoint; if (isSavepoint && options.stop !== undefined && this.#graph !== undefined) this.#init.parties.notifyComplete(checkpoint);" },
  { id: "unclaimed-state-is-deleted", against: "state that a job was started from is deleted though it is not its own", file: initial,
    find: "external: !claimed, claimed }", replace: "external: false, claimed: true }" },
  { id: "suspended-task-goes-on", against: "records are processed behind the savepoint that a job stops behind", file: task,
    find: "input.suspend?.();\n        this.mailbox.held = true;", replace: "" },
  { id: "drain-is-overtaken", against: "a split is in a savepoint twice", file: task,
    find: "const at = emits || this.#draining ||", replace: "const at = emits ||" },
  { id: "older-checkpoint-completes-after-newer", against: "concurrent checkpoints", file: coordinator,
    find: "if (older.checkpointId < pending.checkpointId && !older.isSavepoint)", replace: "if (false)" },
  // Records in flight.
  { id: "records-in-flight-are-not-replayed", against: "records in flight are missing after a restore", file: restoreInFlight,
    find: "return handles.length === 0 ? [] :", replace: "return true ? [] :" },
  { id: "records-in-flight-of-outputs-are-lost", against: "records in flight are missing from the snapshot", file: transport,
    find: "overtaken.push(element);", replace: "void element;" },
  { id: "records-behind-a-barrier-elsewhere-are-lost", against: "records in flight are missing from the snapshot", file: aligner,
    find: "return this.#channels.filter((channel) => !channel.closed && !arrived.has(channel));", replace: "return [];" },
  { id: "records-in-flight-keep-their-subtask", against: "unaligned checkpoints with rescale", file: restoreInFlight,
    find: 'if (partitioner === "hash" || partitioner === "custom")\n        return true;', replace: "" },
  { id: "records-in-flight-go-to-all", against: "unaligned checkpoints with rescale", file: recoverInFlight,
    find: "if (isOwn(batch, i))", replace: "if (isOwn !== undefined)" },
  // Debloated buffers.
  { id: "buffers-shrink-to-nothing", against: "debloated buffers hold no record", file: "runtime/dist/exchange/output-channel.js",
    find: "this.capacity = Math.max(1, Math.min(this.capacity, Math.floor((records * most) / bytes)));", replace: "this.capacity = Math.min(this.capacity, Math.floor((records * most) / bytes));" },
];
