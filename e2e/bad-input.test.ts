import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isMillraceError, runJob, StreamExecutionEnvironment, submitJob, type RunJobOptions } from "millrace";
import { MiniCluster } from "@millrace/testkit";
import { cases } from "./bad-input/cases.js";

/* Bad input gets a clear error, in this thread as on worker threads: a code, the place, and a message that names the thing. */

/** Far more than any of these takes: only to end what hangs. */
const HANGS_MS = 120_000;
const casesUrl = new URL("./bad-input/cases.ts", import.meta.url);
const bin = fileURLToPath(new URL("../packages/millrace/bin/millrace.js", import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "millrace-bad-input-"));
const cluster = new MiniCluster();
const inOneThreadUnencoded = new MiniCluster({ roundTripEdges: false });

before(() => {
  writeFileSync(join(directory, "people.csv"), "name,age\nann,5\nbob,six\ncid,7\n");
  writeFileSync(join(directory, "events.jsonl"), '{"a":1}\n{"a":2}\n{"a":}\n');
  process.env["BAD_INPUT_MISSING"] = join(directory, "peple.csv");
  process.env["BAD_INPUT_CSV"] = join(directory, "people.csv");
  process.env["BAD_INPUT_JSON"] = join(directory, "events.jsonl");
});
after(() => rmSync(directory, { recursive: true }));

interface Expected {
  readonly code: string;
  /** Parts of the message. */
  readonly names: readonly (string | RegExp)[];
  readonly hint?: RegExp;
  /** What the error must be located at; a subtask `true` means any. */
  readonly operator?: string | RegExp;
  readonly subtask?: true | number;
  readonly file?: string;
  readonly line?: number;
  readonly column?: number;
  readonly option?: string;
  /** It is found before the job starts. */
  readonly early?: true;
}

const atRuntime = { subtask: true } as const;
const key = (what: string): Expected => ({ code: "KEY_INVALID", names: ['"Map"', what, '{"n":'], operator: "input of Map", ...atRuntime });
const time = (what: string): Expected => ({ code: "TIMESTAMP_INVALID", names: ['"Times"', `got ${what}`, /of "[ab]"/], operator: "Times", ...atRuntime });
const record = (what: string): Expected => ({ code: "RECORD_NOT_ENCODABLE", names: ["$.row.inside[0]", what], operator: /Rows/, ...atRuntime });
const parallelism = (...names: string[]): Expected => ({ code: "PARALLELISM_INVALID", names, early: true });

const expectations: Readonly<Partial<Record<keyof typeof cases, Expected>>> = {
  keyUndefined: { ...key("must not be undefined"), hint: /\?\?/ },
  keyNaN: key("must not be NaN"),
  keyInfinite: key("must not be Infinity"),
  keyMap: key("an instance of Map"),
  keyInstance: { ...key("an instance of Money"), hint: /fields that identify it/ },
  keyNested: key("at key.id[1]"),

  timestampUndefined: time("undefined"),
  timestampNaN: time("NaN"),
  timestampFraction: time("1.5"),
  timestampInfinite: time("Infinity"),
  timestampText: time("a string (2020-01-01)"),

  recordFunction: record("a function"),
  recordSymbol: record("a symbol"),
  recordInstance: { ...record("an instance of Money"), hint: /registerType/ },
  recordPromise: { ...record("an instance of Promise"), hint: /await/ },
  stateFunction: { code: "RECORD_NOT_ENCODABLE", names: ["a function", "state"], operator: /Keeper/, ...atRuntime },
  stateInstance: { code: "RECORD_NOT_ENCODABLE", names: ["an instance of Money", "state"], hint: /registerType/, operator: /Keeper/, ...atRuntime },

  throwsInMap: { code: "USER_FUNCTION_FAILED", names: ['"Parser"', "subtask 1", "cannot parse 6"], operator: "Parser", subtask: 1 },
  throwsText: { code: "USER_FUNCTION_FAILED", names: ["Thrower", "just a text"], operator: /Thrower/, subtask: 0 },
  throwsInOpen: { code: "USER_FUNCTION_FAILED", names: ['"Opener"', "no connection"], operator: "Opener", ...atRuntime },

  stateNotKeyed: { code: "STATE_NOT_KEYED", names: ['"Reader"'], hint: /keyBy/, operator: "Reader", ...atRuntime },
  stateWithoutKey: { code: "STATE_NO_CURRENT_KEY", names: ["no key"], hint: /open\(\)/, operator: "Reader", ...atRuntime },
  stateOfTwoKinds: { code: "STATE_DESCRIPTOR_CONFLICT", names: ['"seen"', "value", "list"], operator: "Reader", ...atRuntime },

  promiseReturned: { code: "FUNCTION_RETURNED_PROMISE", names: ['"Looker"'], hint: /asyncMap/, operator: "Looker", ...atRuntime },
  asyncFilter: { code: "FUNCTION_RETURNED_PROMISE", names: ['"Asker"'], hint: /asyncMap/, operator: "Asker", ...atRuntime },
  asyncFunction: { code: "FUNCTION_ASYNC", names: ["map", "async"], hint: /asyncMap/, early: true },
  functionInstance: { code: "FUNCTION_INSTANCE", names: ["an instance of Doubler"], hint: /factory/, early: true },
  processInstance: { code: "FUNCTION_INSTANCE", names: ["an instance of KeepsInState"], hint: /factory/, early: true },
  functionMissing: { code: "FUNCTION_MISSING", names: ["map", "undefined"], early: true },
  duplicateUid: { code: "DUPLICATE_UID", names: ['"First"', '"Second"', '"same"'], operator: "Second", early: true },
  partitionOutside: { code: "PARTITION_OUT_OF_RANGE", names: ["returned 7", "2 channels"], subtask: 0 },

  configKey: { code: "CONFIG_UNKNOWN_KEY", names: ['"paralelism.default"'], hint: /did you mean "parallelism\.default"\?/, option: "paralelism.default", early: true },
  configValue: { code: "CONFIG_BAD_VALUE", names: ['"many"', '"parallelism.default"', "integer"], option: "parallelism.default", early: true },
  parallelismZero: parallelism("0"),
  parallelismFraction: { ...parallelism("1.5", '"Map"'), operator: "Map" },
  parallelismAboveMaximum: { ...parallelism("8", '"Map"', "max parallelism 4"), operator: "Map" },
  parallelismHuge: parallelism("40000", "32768"),
  emptyGraph: { code: "GRAPH_EMPTY", names: ["no operators"], early: true },

  fileMissing: { code: "FILE_NOT_FOUND", names: ["peple.csv"], hint: /did you mean ".*people\.csv"\?/, file: "peple.csv" },
  csvMalformed: { code: "RECORD_MALFORMED", names: ["people.csv", "line 3", "column 5", '"six"', '"age"', "bob,six"], hint: /side-output/, file: "people.csv", line: 3, column: 5, ...atRuntime },
  jsonMalformed: { code: "RECORD_MALFORMED", names: ["events.jsonl", "line 3", "column 6"], file: "events.jsonl", line: 3, column: 6, ...atRuntime },
};

/** The error behind the job's failure, after a check that the job's own error wraps it exactly when it had started. */
function reason(thrown: unknown, early: boolean): unknown {
  assert.ok(isMillraceError(thrown), `not an error of Millrace: ${String((thrown as Error)?.stack ?? thrown)}`);
  if (early) return thrown;
  assert.equal(thrown.code, "JOB_FAILED", thrown.stack);
  return thrown.cause;
}

function check(thrown: unknown, expected: Expected): void {
  const error = reason(thrown, expected.early === true);
  assert.ok(isMillraceError(error), String(error));
  assert.equal(error.code, expected.code, error.stack);
  for (const name of expected.names) assert.ok(typeof name === "string" ? error.message.includes(name) : name.test(error.message), `"${error.message}" does not name ${String(name)}`);
  if (expected.hint !== undefined) assert.match(error.hint ?? "", expected.hint);
  const { location } = error;
  if (typeof expected.operator === "string") assert.equal(location.operator, expected.operator);
  else if (expected.operator !== undefined) assert.match(location.operator ?? "", expected.operator);
  if (expected.subtask === true) assert.equal(typeof location.subtask, "number");
  else if (expected.subtask !== undefined) assert.equal(location.subtask, expected.subtask);
  if (expected.file !== undefined) assert.equal(location.file, join(directory, expected.file));
  assert.deepEqual([location.line, location.column, location.option], [expected.line, expected.column, expected.option]);
}

async function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  assert.fail("nothing failed");
}

async function runHere(name: keyof typeof cases, target: MiniCluster): Promise<unknown> {
  target.start();
  try {
    return await failureOf(async () => {
      const env = StreamExecutionEnvironment.getExecutionEnvironment();
      cases[name](env);
      await env.execute();
    });
  } finally {
    await target.stop();
  }
}

const quiet = { write: (): void => undefined };

function onWorkers(job: URL, options: RunJobOptions = {}): Promise<unknown> {
  return failureOf(() => runJob(job, { parallelism: 2, log: quiet, ...options }));
}

for (const [name, expected] of Object.entries(expectations) as [keyof typeof cases, Expected][]) {
  test(`${name} is ${expected.code}, in this thread and on worker threads`, { timeout: HANGS_MS }, async () => {
    check(await runHere(name, cluster), expected);
    check(await runHere(name, inOneThreadUnencoded), expected);
    check(await onWorkers(casesUrl, { args: [name] }), expected);
  });
}

test("an exception of the user is reported with the user's own file and line", { timeout: HANGS_MS }, async () => {
  for (const thrown of [await runHere("throwsInMap", cluster), await onWorkers(casesUrl, { args: ["throwsInMap"] })]) {
    const error = reason(thrown, false) as Error;
    const cause = error.cause as Error;
    assert.equal(cause.name, "RangeError");
    assert.equal(cause.message, "cannot parse 6");
    assert.match(cause.stack!, /at parse \(.*bad-input\/cases\.ts:\d+:\d+\)/);
  }
});

test("malformed records are skipped and counted, or go to a side output", { timeout: HANGS_MS }, async () => {
  for (const [name, malformed] of [["csvSkipped", []], ["csvToSideOutput", ["malformed> 3:5 bob,six"]]] as const) {
    const printed: string[] = [];
    const log = { write: (level: string, line: string): void => void (level === "print" && printed.push(line.replace(/:\d+> /, "> "))) };
    const job = await submitJob(casesUrl, { args: [name], parallelism: 2, log });
    await job.getJobExecutionResult();
    assert.deepEqual(printed.sort(), ["kept> ann", "kept> cid", ...malformed]);
    const { vertices } = await job.getMetrics();
    const counted = vertices.flatMap(({ subtasks }) => subtasks.flatMap((values) => Object.entries(values))).filter(([metric]) => metric.endsWith("numRecordsInErrors"));
    assert.equal(counted.reduce((sum, [, count]) => sum + count, 0), 1);
    await job.programEnded;
  }
});

test("the command prints code, place, hint and the user's own frames, and exits with 1 or 2", { timeout: HANGS_MS }, async () => {
  const wanted = {
    csvMalformed: [1, /RECORD_MALFORMED: .*people\.csv, line 3, column 5/, /hint: .*onError/],
    throwsInMap: [1, /RangeError: cannot parse 6/, /operator: Parser, subtask 1/, /at parse \(.*cases\.ts:\d+:\d+\)/],
    duplicateUid: [2, /DUPLICATE_UID: .*"First".*"Second"/],
    configKey: [2, /CONFIG_UNKNOWN_KEY/, /did you mean "parallelism\.default"\?/],
  } as const;
  for (const [name, [code, ...texts]] of Object.entries(wanted)) {
    const finished = spawnSync(process.execPath, [bin, "run", "-p", "2", fileURLToPath(casesUrl), name], { encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
    assert.equal(finished.status, code, finished.stderr);
    for (const text of texts) assert.match(finished.stderr, text);
    assert.doesNotMatch(finished.stderr, /packages\/runtime|node:internal/);
  }
});

const jobUrl = (name: string): URL => new URL(`./bad-input/jobs/${name}.ts`, import.meta.url);

test("what is wrong with a job's module is named before anything starts", { timeout: HANGS_MS }, async () => {
  const never = await onWorkers(jobUrl("never-executes"));
  assert.ok(isMillraceError(never) && never.code === "JOB_NOT_DEFINED", String(never));
  assert.match(never.message, /never-executes\.ts/);
  const missing = await onWorkers(jobUrl("not-there"));
  assert.ok(isMillraceError(missing) && missing.code === "JOB_FILE_NOT_FOUND", String(missing));
  assert.match(missing.message, /not-there\.ts/);
  const option = await onWorkers(casesUrl, { args: ["throwsInMap"], config: { "paralelism.default": 2 } });
  assert.ok(isMillraceError(option) && option.code === "CONFIG_UNKNOWN_KEY", String(option));
  assert.match(option.hint ?? "", /parallelism\.default/);
});

test("an import that throws is reported with its file and line", { timeout: HANGS_MS }, async () => {
  const thrown = (await onWorkers(jobUrl("import-throws"))) as Error;
  const stacks: string[] = [];
  for (let error: unknown = thrown; error instanceof Error; error = error.cause) stacks.push(`${error.message} ${error.stack ?? ""}`);
  assert.match(stacks.join("\n"), /RATE is not set/);
  assert.match(stacks.join("\n"), /throws-when-loaded\.ts:2:\d+/);
});

test("a job whose graph differs between runs is refused, with the operator that differs", { timeout: HANGS_MS }, async () => {
  const error = reason(await onWorkers(jobUrl("differs-between-runs")), false);
  assert.ok(isMillraceError(error) && error.code === "JOB_NOT_DETERMINISTIC", String(error));
  assert.match(error.message, /Map of (true|false) \d+/);
});

test("a module that throws only when a slot runs it again says so", { timeout: HANGS_MS }, async () => {
  delete process.env["BAD_INPUT_RUNS"];
  const error = reason(await onWorkers(jobUrl("throws-in-slots")), false);
  assert.ok(isMillraceError(error) && error.code === "JOB_MODULE_FAILED", String(error));
  assert.match(error.location.file ?? "", /throws-in-slots\.ts/);
  assert.match(error.message, /only with/);
});

test("a second execute() is refused on worker threads", { timeout: HANGS_MS }, async () => {
  const error = await onWorkers(jobUrl("executes-twice"));
  assert.ok(isMillraceError(error) && error.code === "JOB_SECOND_EXECUTE", String(error));
});

test("a promise that nobody awaited fails the job, and names the task", { timeout: HANGS_MS }, async () => {
  const error = reason(await onWorkers(jobUrl("unhandled-rejection")), false) as Error & { code: string };
  assert.equal(error.code, "SLOT_UNCAUGHT_ERROR");
  assert.equal((error.cause as Error).message, "nobody awaits this");
  assert.match((error.cause as Error).stack ?? "", /unhandled-rejection\.ts:5/);
});

test("cancelling stops a function that never returns, and a job beside it goes on", { timeout: HANGS_MS }, async () => {
  const seen = (wanted: RegExp): { log: RunJobOptions["log"] & object; next(): Promise<void> } => {
    let waiting: (() => void) | undefined;
    const log = { write: (_level: string, line: string): void => void (wanted.test(line) && waiting?.()) };
    return { log, next: () => new Promise((resolve) => (waiting = resolve)) };
  };
  const spinning = seen(/spinning/);
  const sums = seen(/^sum/);
  const firstSum = sums.next();
  const firstSpin = spinning.next();
  const neighbour = await submitJob(jobUrl("keeps-counting"), { parallelism: 2, log: sums.log });
  const spinner = await submitJob(jobUrl("spins"), { parallelism: 1, log: spinning.log, config: { "task.cancellation.timeout": "100 ms" } });
  await Promise.all([firstSum, firstSpin]);
  await sums.next();
  await spinner.cancel();
  assert.equal(((await failureOf(() => spinner.getJobExecutionResult())) as { code?: string }).code, "JOB_CANCELED");
  await sums.next();
  assert.equal(await neighbour.getJobStatus(), "RUNNING");
  assert.equal((await neighbour.getMetrics()).restarts, 0);
  await neighbour.cancel();
  assert.equal(((await failureOf(() => neighbour.getJobExecutionResult())) as { code?: string }).code, "JOB_CANCELED");
  await Promise.allSettled([spinner.kill(), neighbour.kill()]);
});
