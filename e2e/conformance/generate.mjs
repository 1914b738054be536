#!/usr/bin/env node
// Writes cases/*.json. The cases are committed; run this only to add some, and then `run.mjs --live --update`.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { twoInputCases } from "./generate-two-inputs.mjs";
import { random, shapes, writer } from "./scripts.mjs";

const directory = join(import.meta.dirname, "cases");
const cases = [];

function add(name, pipeline, params, inputs, order) {
  cases.push({ name, pipeline, params, inputs, ...(order && { order }) });
}

/** One case a shape, with one input "in". */
function one(pipeline, variant, params, shapeNames, options = {}) {
  for (const shape of shapeNames) {
    const name = [pipeline, variant, shape].filter(Boolean).join("-");
    add(name, pipeline, params, { in: shapes[shape](random(name), { unit: 1000, ...options }) });
  }
}

const event = (type, more) => ({ type, ...more });
const tumbling = event("tumbling", { size: 1000, offset: 0 });
const session = event("session", { gap: 300 });

function windows() {
  one("tumbling", "reduce", { assigner: tumbling, fn: "reduce" }, ["ordered", "disorder", "burst"]);
  one("tumbling", "aggregate", { assigner: tumbling, fn: "aggregate" }, ["late", "negative", "gaps"]);
  one("tumbling", "process", { assigner: tumbling, fn: "process" }, ["boundary", "ties", "late", "negative"]);
  one("tumbling", "offset", { assigner: event("tumbling", { size: 1000, offset: 250 }), fn: "process" }, ["boundary", "negative"]);
  one("tumbling", "offset-back", { assigner: event("tumbling", { size: 1000, offset: -250 }), fn: "aggregate-process" }, ["disorder", "negative"]);
  one("tumbling", "sum", { assigner: tumbling, fn: "sum" }, ["disorder"]);
  one("tumbling", "min-by", { assigner: tumbling, fn: "minBy" }, ["ties"]);
  one("tumbling", "max-by", { assigner: tumbling, fn: "maxBy" }, ["ties"]);
  one("tumbling", "reduce-process", { assigner: tumbling, fn: "reduce-process" }, ["late", "boundary"]);

  const sliding = event("sliding", { size: 1000, slide: 250, offset: 0 });
  one("sliding", "process", { assigner: sliding, fn: "process" }, ["ordered", "late", "boundary", "negative"]);
  one("sliding", "aggregate", { assigner: sliding, fn: "aggregate-process" }, ["disorder", "gaps", "burst"]);
  one("sliding", "uneven", { assigner: event("sliding", { size: 1000, slide: 300, offset: 100 }), fn: "process" }, ["disorder", "negative"]);
  one("sliding", "sparse", { assigner: event("sliding", { size: 300, slide: 1000, offset: 0 }), fn: "process" }, ["disorder", "boundary"]);
  one("sliding", "wide", { assigner: event("sliding", { size: 6000, slide: 100, offset: 0 }), fn: "aggregate-process" }, ["late"], { n: 40, unit: 500 });

  one("session", "process", { assigner: session, fn: "process" }, ["ordered", "disorder", "late", "gaps"], { spacing: 150 });
  one("session", "edge", { assigner: event("session", { gap: 1000 }), fn: "process" }, ["boundary", "ties"]);
  one("session", "reduce-process", { assigner: session, fn: "reduce-process" }, ["late", "negative"], { spacing: 200 });
  one("session", "aggregate", { assigner: session, fn: "aggregate-process" }, ["disorder", "burst"], { spacing: 200 });
  const gap = (rng) => ({ a: rng.int(1, 6) * 100 });
  one("session-dynamic", "process", { assigner: event("session-dynamic"), fn: "process" }, ["disorder", "late", "boundary", "gaps"], { extra: gap, spacing: 200 });
}

function triggersAndEvictors() {
  const global = event("global");
  one("global-window", "end-of-stream", { assigner: event("global-end-of-stream"), fn: "aggregate" }, ["disorder", "gaps"]);
  one("global-window", "never", { assigner: global, fn: "aggregate" }, ["ordered"]);
  one("count-trigger", "accumulating", { assigner: global, trigger: event("count", { n: 4 }), fn: "process" }, ["disorder", "burst"]);
  one("count-trigger", "tumbling", { assigner: tumbling, trigger: event("count", { n: 3 }), fn: "process" }, ["disorder", "late"]);
  one("count-trigger", "session", { assigner: event("session", { gap: 700 }), trigger: event("count", { n: 3 }), fn: "process" }, ["disorder", "late"], { spacing: 200 });
  const purgingCount = event("purging", { of: event("count", { n: 4 }) });
  one("purging-trigger", "count", { assigner: global, trigger: purgingCount, fn: "process" }, ["disorder", "ties"]);
  const purgingTime = event("purging", { of: event("event-time") });
  one("purging-trigger", "event-time", { assigner: tumbling, trigger: purgingTime, allowedLateness: 1500, fn: "process" }, ["late", "boundary"]);
  one("purging-trigger", "session", { assigner: session, trigger: purgingTime, allowedLateness: 1500, fn: "process" }, ["late"], { spacing: 200 });
  const continuous = event("continuous-event", { interval: 200 });
  one("continuous-trigger", "tumbling", { assigner: tumbling, trigger: continuous, fn: "process" }, ["ordered", "disorder", "late", "boundary", "negative"]);
  one("continuous-trigger", "session", { assigner: session, trigger: continuous, fn: "process" }, ["disorder", "gaps"], { spacing: 200 });
  const delta = event("delta", { threshold: 40 });
  one("delta-trigger", "global", { assigner: global, trigger: delta, fn: "process" }, ["disorder"]);
  one("delta-trigger", "edge", { assigner: global, trigger: event("delta", { threshold: 1 }), fn: "process" }, ["ties"]);
  one("delta-trigger", "purging", { assigner: global, trigger: event("purging", { of: delta }), fn: "process" }, ["disorder"]);
  const early = event("early", { every: 3 });
  one("custom-trigger", "tumbling", { assigner: tumbling, trigger: early, allowedLateness: 1000, fn: "process" }, ["late", "boundary"]);
  one("custom-trigger", "session", { assigner: event("session", { gap: 700 }), trigger: early, allowedLateness: 500, fn: "process" }, ["disorder", "late"], { spacing: 200 });
  one("custom-trigger", "sliding", { assigner: event("sliding", { size: 1000, slide: 500, offset: 0 }), trigger: early, fn: "aggregate-process" }, ["disorder"]);

  for (const after of [false, true]) {
    const when = after ? "after" : "before";
    one("evictor-count", when, { assigner: tumbling, evictor: event("count", { n: 3, after }), fn: "process" }, ["disorder", "burst"]);
    one("evictor-time", when, { assigner: tumbling, evictor: event("time", { keep: 300, after }), allowedLateness: 1000, fn: "process" }, ["late", "boundary"]);
    one("evictor-delta", when, { assigner: tumbling, evictor: event("delta", { threshold: 30, after }), allowedLateness: 800, fn: "process" }, ["late", "ties"]);
    one("evictor-count", `global-${when}`, { assigner: global, trigger: event("count", { n: 2 }), evictor: event("count", { n: 5, after }), fn: "process" }, ["disorder"]);
  }
  one("evictor-count", "aggregate", { assigner: tumbling, evictor: event("count", { n: 3 }), fn: "aggregate-process" }, ["disorder"]);
  one("evictor-time", "sliding-reduce", { assigner: event("sliding", { size: 1000, slide: 500, offset: 0 }), evictor: event("time", { keep: 200 }), fn: "reduce" }, ["disorder"]);
}

function lateness() {
  one("allowed-lateness", "tumbling", { assigner: tumbling, allowedLateness: 1000, fn: "process" }, ["late", "boundary", "negative"]);
  one("allowed-lateness", "sliding", { assigner: event("sliding", { size: 1000, slide: 500, offset: 0 }), allowedLateness: 700, fn: "reduce-process" }, ["late"]);
  one("allowed-lateness", "session", { assigner: session, allowedLateness: 700, fn: "process" }, ["late", "gaps"], { spacing: 200 });
  one("allowed-lateness", "session-reduce", { assigner: session, allowedLateness: 700, fn: "reduce-process" }, ["late"], { spacing: 200 });
  one("late-side-output", "tumbling", { assigner: tumbling, sideOutputLate: true, fn: "process" }, ["late", "boundary"]);
  one("late-side-output", "lateness", { assigner: tumbling, allowedLateness: 400, sideOutputLate: true, fn: "aggregate-process" }, ["late"]);
  one("late-side-output", "sliding", { assigner: event("sliding", { size: 1000, slide: 250, offset: 0 }), sideOutputLate: true, fn: "process" }, ["late"]);
  one("late-side-output", "session", { assigner: session, sideOutputLate: true, fn: "process" }, ["late"], { spacing: 200 });
  one("window-state", "tumbling", { assigner: tumbling, allowedLateness: 1000, fn: "count-firings" }, ["late", "boundary"]);
  one("window-state", "continuous", { assigner: tumbling, trigger: event("continuous-event", { interval: 250 }), fn: "count-firings" }, ["disorder"]);
  one("window-all", "tumbling", { assigner: tumbling, fn: "process" }, ["disorder", "late", "boundary"]);
  one("window-all", "session", { assigner: session, fn: "process" }, ["late", "gaps"], { spacing: 300 });
  one("window-all", "late", { assigner: tumbling, allowedLateness: 500, sideOutputLate: true, fn: "aggregate" }, ["late"]);
  one("window-all", "sliding", { assigner: event("sliding", { size: 1000, slide: 500, offset: 0 }), fn: "reduce" }, ["disorder"]);
  one("count-window", "tumbling", { size: 5, fn: "process" }, ["disorder", "ties"]);
  one("count-window", "reduce", { size: 3, fn: "reduce" }, ["late"]);
  one("count-window", "slide", { size: 5, slide: 2, fn: "process" }, ["disorder", "burst"]);
  one("count-window", "slide-sparse", { size: 2, slide: 5, fn: "aggregate" }, ["disorder"]);
  one("count-window-all", "tumbling", { size: 7, fn: "process" }, ["disorder"]);
  one("count-window-all", "slide", { size: 7, slide: 3, fn: "process" }, ["disorder"]);
  one("window-cascade", "", { inner: 500, outer: 1000 }, ["disorder", "late", "boundary", "gaps"]);
}

function streams() {
  for (const fn of ["reduce", "sum", "min", "max"]) one("running", fn, { fn }, ["disorder", "ties"]);
  for (const fn of ["minBy", "maxBy"]) {
    for (const first of [true, false]) {
      one("running", `${fn}-${first ? "first" : "last"}`, { fn, first }, ["ties"]);
    }
  }
  one("side-outputs", "", {}, ["late", "negative"]);
  one("full-window-partition", "reduce", { fn: "reduce" }, ["disorder"]);
  one("full-window-partition", "aggregate", { fn: "aggregate" }, ["late"]);
  one("fraud", "", { small: 0, large: 60, within: 700 }, ["ordered", "disorder", "gaps"], { n: 120 });
  const stateCommands = (rng) => ({ a: rng.int(1, 3), c: rng.pick(["", "", "", "", "", "remove", "clear"]) });
  one("state-kinds", "", {}, ["disorder", "burst"], { extra: stateCommands });
}

function timers() {
  const registers = (rng, t) => ({ c: rng.pick(["reg", "reg", "del", ""]), a: Math.floor((t + rng.int(-300, 900)) / 100) * 100 });
  one("timers", "register-delete", {}, ["ordered", "disorder", "late", "boundary", "negative"], { extra: registers });
  const past = (rng, t) => ({ c: "reg", a: t - rng.int(0, 3000) });
  one("timers", "past", {}, ["ordered", "late"], { extra: past, n: 40 });
  const chains = (rng, t) => (rng.chance(0.2) ? { c: "chain", a: t + rng.int(0, 500), b: rng.int(1, 6) } : {});
  one("timers", "chain-forward", { chainStep: 130 }, ["ordered", "gaps"], { extra: chains });
  one("timers", "chain-back", { chainStep: -70 }, ["ordered", "disorder"], { extra: chains });
  one("timers", "chain-same", { chainStep: 0 }, ["ordered"], { extra: chains, n: 40 });
  const kills = (rng, t) => {
    const a = Math.floor((t + rng.int(0, 600)) / 100) * 100;
    return rng.chance(0.5) ? { c: "kill", a, b: a + rng.pick([-100, 0, 100, 200]) } : { c: "reg", a };
  };
  one("timers", "delete-in-timer", {}, ["ordered", "disorder", "burst"], { extra: kills });
  const same = (_rng, t) => ({ c: "reg", a: Math.ceil(t / 1000) * 1000 });
  one("timers", "coalesce", {}, ["burst", "ties", "boundary"], { extra: same });
}

/** Scripts whose clock moves: records, and now and then a new processing time. */
function ticking(name, { extra, n = 60, step = 150, watermarks = false, keys } = {}) {
  const rng = random(name);
  const out = writer(rng, keys);
  let now = 0;
  for (let i = 0; i < n; i++) {
    out.record(now + rng.int(-100, 100), extra?.(rng, now, i));
    if (i % 3 === 2) {
      now += rng.pick([0, 1, step, step, 2 * step, 1000]);
      out.processingTime(now);
    }
    if (watermarks && i % 5 === 4) out.watermark(now - 200);
  }
  out.processingTime(now + 10_000);
  return out.end();
}

function processingTime() {
  const add1 = (pipeline, variant, params, options) => {
    const name = `${pipeline}-${variant}`;
    add(name, pipeline, params, { in: ticking(name, options) });
  };
  const assigners = {
    tumbling: event("tumbling-processing", { size: 1000, offset: 0 }),
    "tumbling-offset": event("tumbling-processing", { size: 1000, offset: 300 }),
    sliding: event("sliding-processing", { size: 1000, slide: 400, offset: 0 }),
    session: event("session-processing", { gap: 350 }),
    "session-dynamic": event("session-dynamic-processing"),
  };
  for (const [variant, assigner] of Object.entries(assigners)) {
    add1("processing-time-window", variant, { assigner, fn: "process" }, { extra: (rng) => ({ a: rng.int(1, 8) * 100 }) });
  }
  add1("processing-time-window", "reduce", { assigner: assigners.session, fn: "reduce-process" });
  add1("continuous-trigger", "processing", { assigner: assigners.tumbling, trigger: event("continuous-processing", { interval: 200 }), fn: "process" });
  const counted = event("count", { n: 4 });
  add1("timeout-trigger", "plain", { assigner: event("global"), trigger: event("processing-timeout", { of: counted, timeout: 200 }), fn: "process" });
  add1("timeout-trigger", "reset", { assigner: event("global"), trigger: event("processing-timeout", { of: counted, timeout: 200, resetOnNewRecord: true }), fn: "process" });
  add1("timeout-trigger", "keep", { assigner: event("global"), trigger: event("processing-timeout", { of: event("count", { n: 7 }), timeout: 200, clearOnTimeout: false }), fn: "process" });
  const commands = (rng, now) => ({ c: rng.pick(["regp", "regp", "delp", "chainp", "reg"]), a: Math.floor((now + rng.int(-200, 600)) / 100) * 100, b: rng.int(0, 3) });
  add1("processing-timers", "mixed", { chainStep: 120 }, { extra: commands, watermarks: true });
  add1("processing-timers", "past", { chainStep: 50 }, { extra: (rng, now) => ({ c: "regp", a: now - rng.int(0, 500) }) });
  add1("processing-timers", "chain", { chainStep: 90 }, { extra: (rng, now) => (rng.chance(0.3) ? { c: "chainp", a: now + 100, b: 4 } : {}) });
}

function strategies() {
  const timed = (name, options = {}) => {
    const rng = random(name);
    const out = writer(rng);
    let now = 0;
    for (let i = 0; i < 50; i++) {
      out.record(0, { a: now + rng.int(-300, 50), ...options.extra?.(rng, now, i) });
      if (i % 4 === 3) {
        now += rng.pick([50, 199, 200, 201, 450, ...(options.pauses ?? [])]);
        out.processingTime(now);
      }
    }
    for (let i = 1; i < 8; i++) out.processingTime(now + i * 300);
    return out.end();
  };
  const add1 = (variant, params, options) => {
    const name = `watermark-strategy-${variant}`;
    add(name, "watermark-strategy", params, { in: timed(name, options) });
  };
  add1("bounded", { type: "bounded", bound: 200 });
  add1("bounded-zero", { type: "bounded", bound: 0, interval: 50 });
  add1("monotonous", { type: "monotonous" });
  add1("idleness", { type: "bounded", bound: 100, idleness: 500 }, { pauses: [2000, 3000] });
  add1("idleness-monotonous", { type: "monotonous", idleness: 1000, interval: 100 }, { pauses: [5000] });
  add1("punctuated", { type: "punctuated" }, { extra: (rng, now) => (rng.chance(0.3) ? { c: "wm", b: now - rng.int(0, 500) } : {}) });
}

windows();
triggersAndEvictors();
lateness();
streams();
timers();
processingTime();
strategies();
twoInputCases(add);

mkdirSync(directory, { recursive: true });
for (const file of readdirSync(directory)) rmSync(join(directory, file));
const names = new Set();
for (const test of cases) {
  if (names.has(test.name)) throw new Error(`two cases are called ${test.name}`);
  names.add(test.name);
  const inputs = Object.entries(test.inputs)
    .map(([name, script]) => `    ${JSON.stringify(name)}: [\n${script.map((s) => `      ${JSON.stringify(s)}`).join(",\n")}\n    ]`)
    .join(",\n");
  const head = { name: test.name, pipeline: test.pipeline, params: test.params };
  const lines = Object.entries(head).map(([key, value]) => `  ${JSON.stringify(key)}: ${JSON.stringify(value)},\n`);
  const order = test.order ? `,\n  "order": ${JSON.stringify(test.order)}` : "";
  writeFileSync(join(directory, `${test.name}.json`), `{\n${lines.join("")}  "inputs": {\n${inputs}\n  }${order}\n}\n`);
}
console.log(`${cases.length} cases of ${new Set(cases.map((test) => test.pipeline)).size} pipelines`);
