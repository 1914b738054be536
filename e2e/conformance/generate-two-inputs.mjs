// Cases with several inputs: their order is part of the case.
import { interleave, random, shapes, writer } from "./scripts.mjs";

/** Adds a case for every pair of shapes; `make` may add fields to the records of either stream. */
function pairs(add, pipeline, variant, params, names, shapePairs, options = {}) {
  for (const shapeNames of shapePairs) {
    const name = [pipeline, variant, shapeNames.join("-")].filter(Boolean).join("-");
    const rng = random(name);
    const inputs = {};
    names.forEach((stream, i) => {
      const shape = shapeNames[i % shapeNames.length];
      inputs[stream] = shapes[shape](rng, { unit: 1000, n: 40, ...options, extra: options.extras?.[i] ?? options.extra });
    });
    add(name, pipeline, params, inputs, interleave(rng, inputs));
  }
}

export function twoInputCases(add) {
  const sides = ["left", "right"];
  const keys = ["a", "b", "ключ"];
  const tumbling = { type: "tumbling", size: 1000, offset: 0 };

  pairs(add, "window-join", "tumbling", { assigner: tumbling }, sides, [["disorder", "disorder"], ["late", "ordered"], ["boundary", "boundary"], ["negative", "negative"]], { keys });
  pairs(add, "window-join", "sliding", { assigner: { type: "sliding", size: 1000, slide: 500, offset: 0 } }, sides, [["disorder", "ordered"]], { keys });
  pairs(add, "window-join", "session", { assigner: { type: "session", gap: 200 } }, sides, [["disorder", "disorder"], ["gaps", "gaps"]], { keys });
  pairs(add, "window-join", "lateness", { assigner: tumbling, allowedLateness: 800 }, sides, [["late", "late"]], { keys });
  pairs(add, "co-group", "tumbling", { assigner: tumbling }, sides, [["disorder", "ties"], ["late", "late"], ["gaps", "ordered"]], { keys });
  pairs(add, "co-group", "session", { assigner: { type: "session", gap: 200 } }, sides, [["disorder", "disorder"]], { keys });
  pairs(add, "co-group", "lateness", { assigner: tumbling, allowedLateness: 800 }, sides, [["late", "disorder"]], { keys });

  const bounds = {
    inclusive: { lower: -200, upper: 300 },
    exclusive: { lower: -200, upper: 300, lowerExclusive: true, upperExclusive: true },
    "lower-exclusive": { lower: 0, upper: 1000, lowerExclusive: true },
    "upper-exclusive": { lower: -1000, upper: 0, upperExclusive: true },
    future: { lower: 100, upper: 1000 },
    past: { lower: -1000, upper: -100 },
  };
  for (const [variant, params] of Object.entries(bounds)) {
    pairs(add, "interval-join", variant, params, sides, [["disorder", "disorder"], ["boundary", "boundary"]], { keys, spacing: 60 });
  }
  pairs(add, "interval-join", "point", { lower: 0, upper: 0 }, sides, [["ties", "ties"], ["boundary", "boundary"]], { keys });
  pairs(add, "interval-join", "late", { lower: -300, upper: 300, sideOutputLate: true }, sides, [["late", "late"], ["late", "ordered"]], { keys });
  pairs(add, "interval-join", "negative", { lower: -300, upper: 300 }, sides, [["negative", "negative"], ["ties", "burst"]], { keys });

  pairs(add, "co-map", "", {}, sides, [["disorder", "late"]]);
  pairs(add, "co-flat-map", "", {}, sides, [["burst", "negative"], ["gaps", "gaps"]]);
  const registers = (rng, t) => (rng.chance(0.4) ? { c: "reg", a: t + rng.int(-200, 600) } : {});
  pairs(add, "co-process", "", {}, sides, [["ordered", "ordered"], ["disorder", "gaps"], ["late", "burst"], ["gaps", "gaps"], ["boundary", "negative"]], { extra: registers, keys });

  const rules = (rng) => ({ k: rng.pick(["low", "mid", "high", "Ж"]), v: rng.int(-10, 90), c: rng.pick(["set", "set", "set", "del", "count"]) });
  const extras = [registers, rules];
  pairs(add, "broadcast-keyed", "", {}, ["data", "rules"], [["ordered", "ordered"], ["disorder", "gaps"], ["late", "burst"], ["gaps", "ordered"]], { extras, keys, n: 50 });
  pairs(add, "broadcast", "", {}, ["data", "rules"], [["disorder", "ordered"], ["burst", "gaps"]], { extras, n: 50 });

  pairs(add, "union", "", {}, ["a", "b"], [["ordered", "disorder"], ["gaps", "ordered"], ["gaps", "gaps"], ["negative", "late"]]);
  pairs(add, "union", "three", {}, ["a", "b", "c"], [["ordered", "gaps", "late"], ["gaps", "gaps", "gaps"]]);
  pairs(add, "union-window", "tumbling", { assigner: tumbling, fn: "process" }, ["a", "b"], [["ordered", "disorder"], ["gaps", "late"], ["boundary", "boundary"]]);
  pairs(add, "union-window", "session", { assigner: { type: "session", gap: 250 }, fn: "process" }, ["a", "b", "c"], [["disorder", "gaps", "late"]]);
  idleness(add);
}

/** Exact sequences of idleness: who holds the watermark back, who no longer does, who comes back behind. */
function idleness(add) {
  const sequences = {
    "one-idle": "a1 b1 A500 B100 bi a2 A900 a3 ba b2 B700 b3 B1500 A1600",
    "both-idle": "a1 b1 A300 B200 ai bi a2 b2 ba B250 b3 B400 aa A350 A800 B900",
    "both-idle-flush": "a1 b1 A900 B200 bi ai b2 aa A950 a2 ba B940 b3 B1000",
    "back-behind": "a1 A100 B100 bi A2000 a2 ba b2 B150 b3 A2500 B2100 a3 B2600",
    "idle-first": "bi a1 A400 a2 ba b1 B100 b2 B600 A700",
    "idle-twice": "a1 A100 ai ai B200 b1 aa aa A150 A300 B400 bi A800 ba B850",
    "never-active": "ai b1 B500 b2 B1200 b3 aa A100 A1300",
  };
  for (const [variant, text] of Object.entries(sequences)) {
    for (const pipeline of ["union", "union-window", "co-process"]) {
      const name = `${pipeline}-idle-${variant}`;
      const names = pipeline === "co-process" ? { a: "left", b: "right" } : { a: "a", b: "b" };
      const rng = random(name);
      const out = { a: writer(rng, ["x"]), b: writer(rng, ["x"]) };
      const order = [];
      let time = 50;
      for (const word of text.split(" ")) {
        const side = word[0].toLowerCase();
        const rest = word.slice(1);
        const to = out[side];
        if (word[0] !== side) to.watermark(Number(rest), { force: true });
        else if (rest === "i") to.idle();
        else if (rest === "a") to.active();
        else to.record((time += 120), pipeline === "co-process" ? { c: "reg", a: time + 100 } : {});
        order.push(names[side]);
      }
      const inputs = { [names.a]: out.a.script, [names.b]: out.b.script };
      const params = pipeline === "union-window" ? { assigner: { type: "tumbling", size: 250, offset: 0 }, fn: "process" } : {};
      add(name, pipeline, params, inputs, order);
    }
  }
}
