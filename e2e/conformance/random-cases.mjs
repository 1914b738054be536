// Random cases for fuzz.mjs: any window with any trigger, evictor and function, joins with any bounds, timers with any commands. Only what Flink defines:
// see "Where Flink defines nothing" in DEVIATIONS.md.
import { random, shapes } from "./scripts.mjs";

const shapeNames = ["ordered", "disorder", "late", "negative", "burst", "boundary", "ties", "gaps"];
const keyedFns = ["reduce", "sum", "minBy", "maxBy", "aggregate", "process", "reduce-process", "aggregate-process", "count-firings"];
/** The functions whose result does not depend on the order in which sessions merge; `count-firings` is refused over merging windows. */
const mergingFns = ["reduce", "aggregate", "process", "reduce-process", "aggregate-process"];

/** Chance: true once in `n`. */
const oneIn = (rng, n) => rng.int(1, n) === 1;

function timeAssigner(rng) {
  const size = rng.pick([100, 333, 700, 1000, 1500]);
  switch (rng.pick(["tumbling", "sliding", "session", "session-dynamic"])) {
    case "tumbling": return { type: "tumbling", size, offset: rng.int(-50, 50) };
    case "sliding": return { type: "sliding", size, slide: rng.pick([70, 100, 250, 300, size, 1700]), offset: rng.int(0, 60) };
    case "session": return { type: "session", gap: rng.pick([50, 150, 300, 700]) };
    default: return { type: "session-dynamic" };
  }
}

const isSession = (assigner) => assigner.type.startsWith("session");

function trigger(rng, assigner) {
  if (assigner.type === "global") return rng.pick([{ type: "count", n: rng.int(1, 6) }, { type: "delta", threshold: rng.int(5, 60) }]);
  const triggers = [{ type: "event-time" }, { type: "count", n: rng.int(1, 6) }, { type: "continuous-event", interval: rng.pick([50, 130, 400]) }, { type: "early", every: rng.int(1, 5) }];
  // A delta trigger cannot merge.
  return rng.pick(isSession(assigner) ? triggers : [...triggers, { type: "delta", threshold: rng.int(5, 60) }]);
}

function evictor(rng) {
  const after = rng.pick([true, false]);
  return rng.pick([{ type: "count", n: rng.int(1, 5), after }, { type: "time", keep: rng.int(0, 500), after }, { type: "delta", threshold: rng.int(5, 60), after }]);
}

function windowParams(rng, all) {
  const assigner = oneIn(rng, 6) ? { type: rng.pick(["global", "global-end-of-stream"]) } : timeAssigner(rng);
  const params = { assigner };
  if (assigner.type === "global" || (assigner.type !== "global-end-of-stream" && oneIn(rng, 3))) {
    params.trigger = trigger(rng, assigner);
    if (oneIn(rng, 3)) params.trigger = { type: "purging", of: params.trigger };
  }
  if (!isSession(assigner) && oneIn(rng, 4)) params.evictor = evictor(rng);
  if (!assigner.type.startsWith("global") && oneIn(rng, 2)) params.allowedLateness = rng.pick([0, 100, 400, 1000, 2500]);
  if (oneIn(rng, 2)) params.sideOutputLate = true;
  // Flink sorts the input of such a window by time when a cluster runs it, and does not in its harness.
  if (assigner.type === "global-end-of-stream") return { ...params, fn: "aggregate" };
  // Over all keys `reduce` keeps the key of the first event.
  if (all) params.fn = rng.pick(isSession(assigner) ? ["aggregate", "process"] : ["reduce", "aggregate", "process"]);
  else params.fn = rng.pick(isSession(assigner) ? mergingFns : keyedFns);
  return params;
}

function joinParams(rng) {
  const drawn = timeAssigner(rng);
  const assigner = drawn.type === "session-dynamic" ? { type: "session", gap: 200 } : drawn;
  return oneIn(rng, 2) ? { assigner, allowedLateness: rng.pick([0, 300, 1200]) } : { assigner };
}

function intervalParams(rng) {
  const lower = rng.int(-800, 400);
  const bool = () => rng.pick([true, false]);
  return { lower, upper: lower + rng.int(2, 900), lowerExclusive: bool(), upperExclusive: bool(), sideOutputLate: bool() };
}

function countParams(rng) {
  const size = rng.int(1, 7);
  const fn = rng.pick(["reduce", "process", "aggregate"]);
  return oneIn(rng, 2) ? { size, fn } : { size, slide: rng.int(1, 7), fn };
}

const commands = (kinds) => (rng, t) => ({ c: rng.pick(kinds), a: t + rng.int(-300, 900), b: t + rng.int(-300, 900) });
const chains = (rng, t) => (oneIn(rng, 4) ? { c: "chain", a: t + rng.int(-300, 900), b: rng.int(0, 3) } : commands(["", "reg", "del", "kill"])(rng, t));

const families = [
  { weight: 8, pipeline: "tumbling", params: (rng) => windowParams(rng, false) },
  { weight: 2, pipeline: "window-all", params: (rng) => windowParams(rng, true) },
  { weight: 2, pipeline: "union-window", params: (rng) => windowParams(rng, false), inputs: ["a", "b", "c"] },
  { weight: 2, pipeline: "window-join", params: joinParams, inputs: ["left", "right"] },
  { weight: 2, pipeline: "co-group", params: joinParams, inputs: ["left", "right"] },
  { weight: 2, pipeline: "interval-join", params: intervalParams, inputs: ["left", "right"] },
  { weight: 1, pipeline: "count-window", params: countParams },
  { weight: 1, pipeline: "count-window-all", params: countParams },
  { weight: 2, pipeline: "timers", params: (rng) => ({ chainStep: rng.int(-100, 300) }), extra: chains },
  { weight: 2, pipeline: "co-process", params: () => ({}), inputs: ["left", "right"], extra: commands(["", "reg"]) },
].flatMap((family) => Array.from({ length: family.weight }, () => family));

function shuffled(rng, items) {
  for (let i = items.length - 1; i > 0; i--) {
    const j = rng.int(0, i);
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}

/** The case of a seed, always the same. */
export function randomCase(seed) {
  const rng = random(seed);
  const { pipeline, params, inputs: names = ["in"], extra = (r) => ({ a: r.int(1, 900) }) } = rng.pick(families);
  const script = (name) => {
    const options = { unit: 1000, extra, spacing: rng.pick([60, 100, 200]), n: rng.pick([30, 60, 90]), keys: rng.pick([["a"], ["a", "b"], ["a", "b", "ключ", "🦀"]]) };
    return shapes[rng.pick(shapeNames)](random(`${seed} ${name}`), options);
  };
  const inputs = Object.fromEntries(names.map((name) => [name, script(name)]));
  const order = names.flatMap((name) => inputs[name].map(() => name));
  return { name: seed, pipeline, params: params(rng), inputs, ...(names.length > 1 && { order: shuffled(rng, order) }) };
}
