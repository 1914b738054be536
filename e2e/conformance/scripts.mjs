// Seeded scripts of input streams: the shapes of time that the cases are made of.

/** mulberry32: a fixed, small generator, so that the cases never change by themselves. */
export function random(seedText) {
  let state = 2166136261;
  for (const char of seedText) state = Math.imul(state ^ char.codePointAt(0), 16777619) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  /** An integer in [low, high]. */
  const int = (low, high) => low + Math.floor(next() * (high - low + 1));
  return { int, pick: (list) => list[int(0, list.length - 1)], chance: (p) => next() < p };
}

const KEYS = ["a", "b", "ключ", "🦀"];

/** Adds records (with ids), watermarks and idleness to a script. */
export function writer(rng, keys = KEYS) {
  const script = [];
  let id = 0;
  let watermark = -Infinity;
  let idle = false;
  const self = {
    script,
    record(t, extra = {}) {
      id += 1;
      script.push({ t, v: { id, k: rng.pick(keys), v: rng.int(-20, 100), ...extra } });
      return self;
    },
    /** A watermark; one that does not advance is written too only when forced. */
    watermark(w, { force = false } = {}) {
      if (w <= watermark && !force) return self;
      if (idle) self.active();
      watermark = Math.max(watermark, w);
      script.push({ w });
      return self;
    },
    idle() {
      idle = true;
      script.push({ idle: true });
      return self;
    },
    active() {
      idle = false;
      script.push({ idle: false });
      return self;
    },
    processingTime(p) {
      script.push({ p });
      return self;
    },
    end() {
      if (idle) self.active();
      return script;
    },
  };
  return self;
}

/** Records around a moving front; `lag` is how far the watermark stays behind, `jitter` how far records do. */
function front(rng, { unit, n = 60, start = 0, jitter = 0, lag = 1, every = 4, spacing = unit / 10, extra, keys }) {
  const out = writer(rng, keys);
  let now = start;
  let max = -Infinity;
  for (let i = 0; i < n; i++) {
    now += rng.int(0, 2 * spacing);
    const t = now - rng.int(0, jitter);
    max = Math.max(max, t);
    out.record(t, extra?.(rng, t, i));
    if (i % every === every - 1) out.watermark(max - lag);
  }
  return out.end();
}

/** The shapes. Each takes (rng, { unit, extra, n, keys }); `unit` is about a window's size. */
export const shapes = {
  /** In order, the watermark right behind. */
  ordered: (rng, o) => front(rng, o),
  /** Out of order within what the watermark allows. */
  disorder: (rng, o) => front(rng, { ...o, jitter: o.unit, lag: o.unit + 1 }),
  /** Out of order further than the watermark allows: some records are late. */
  late: (rng, o) => front(rng, { ...o, n: o.n ?? 90, jitter: 2 * o.unit, lag: Math.floor(o.unit / 4), every: 3 }),
  /** Times before 1970, crossing 0. */
  negative: (rng, o) => front(rng, { ...o, start: -3 * o.unit, jitter: o.unit / 2, lag: o.unit / 2 + 1 }),
  /** Many records with one timestamp, then a jump. */
  burst(rng, { unit, extra, keys }) {
    const out = writer(rng, keys);
    for (let burst = 0; burst < 7; burst++) {
      const t = burst * Math.floor(unit * 0.7) + rng.int(0, 3);
      for (let i = 0; i < 9; i++) out.record(t, extra?.(rng, t, i));
      if (burst % 2 === 1) out.watermark(t);
    }
    return out.end();
  },
  /** Records and watermarks on the edges of windows, one before, and one after. */
  boundary(rng, { unit, extra, keys }) {
    const out = writer(rng, keys);
    for (let i = -2; i < 6; i++) {
      for (const delta of [0, -1, 1, 0, -1]) out.record(i * unit + delta, extra?.(rng, i * unit + delta, i));
      out.watermark(i * unit - 2);
      out.watermark(i * unit - 1);
      out.record(i * unit - 1, extra?.(rng, i * unit - 1, i));
      if (i % 2 === 0) out.watermark(i * unit);
    }
    return out.end();
  },
  /** Equal timestamps and equal values everywhere; watermarks that repeat or go back. */
  ties(rng, { unit, extra, keys }) {
    const out = writer(rng, keys);
    for (let i = 0; i < 60; i++) {
      const t = Math.floor(i / 12) * unit + rng.pick([0, unit / 2]);
      out.record(t, { v: rng.pick([1, 1, 2, -2]), ...extra?.(rng, t, i) });
      if (i % 10 === 9) {
        const w = Math.floor(i / 12) * unit;
        out.watermark(w).watermark(w, { force: true }).watermark(w - unit, { force: true });
      }
    }
    return out.end();
  },
  /** Long silences: gaps of many windows, idleness in some of them. */
  gaps(rng, { unit, extra, keys }) {
    const out = writer(rng, keys);
    let t = 0;
    for (let group = 0; group < 6; group++) {
      for (let i = 0; i < 8; i++) {
        t += rng.int(0, Math.floor(unit / 3));
        out.record(t - rng.int(0, 5), extra?.(rng, t, i));
      }
      out.watermark(t - 6);
      if (group % 2 === 0) out.idle();
      t += unit * rng.int(2, 5);
      if (group % 2 === 0) out.watermark(t - 2 * unit);
    }
    return out.end();
  },
};

/** Merges scripts into one order of stream names, at random but fair to their lengths. */
export function interleave(rng, inputs) {
  const left = Object.entries(inputs).map(([name, script]) => ({ name, left: script.length }));
  const order = [];
  let total = left.reduce((sum, stream) => sum + stream.left, 0);
  while (total > 0) {
    let at = rng.int(0, total - 1);
    for (const stream of left) {
      if (at < stream.left) {
        order.push(stream.name);
        stream.left -= 1;
        break;
      }
      at -= stream.left;
    }
    total -= 1;
  }
  return order;
}
