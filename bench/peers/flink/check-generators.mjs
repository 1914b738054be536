#!/usr/bin/env node
// Repeats GENERATORS.md in JavaScript, without Flink: compares the first records and the checksums of small runs with
// golden.json, which came from the Java side. `--print` prints what it computes.
import { readFileSync } from "node:fs";
import { join } from "node:path";

function random(index, field) {
  let x = ((index ^ Math.imul(field, 0x85ebca6b)) + 0x9e3779b9) | 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x21f0aaad);
  x ^= x >>> 15;
  x = Math.imul(x, 0x735a2d97);
  return x ^ (x >>> 15);
}
const below = (number, bound) => Math.floor(((number >>> 0) * bound) / 2 ** 32);

function fold(hash, word) {
  const h = Math.imul(hash ^ word, 0x9e3779b1);
  return h ^ (h >>> 15);
}
const start = 0x811c9dc5 | 0;
const foldLong = (hash, value) => fold(fold(hash, value | 0), Math.floor(value / 2 ** 32) | 0);
function foldText(hash, text) {
  let h = fold(hash, text.length);
  const stride = text.length > 32 ? 8 : 1;
  for (let i = 0; i < text.length; i += stride) h = fold(h, text.charCodeAt(i));
  return stride > 1 ? fold(h, text.charCodeAt(text.length - 1)) : h;
}

/** The sum of the outputs' hashes modulo 2^52. */
class Checksum {
  sum = 0;
  outputs = 0;
  add(hash) {
    this.sum = (this.sum + (hash >>> 0)) % 2 ** 52;
    this.outputs += 1;
  }
}

const time = (i, perMs, disorderMs, field) => Math.floor(i / perMs) + disorderMs - below(random(i, field), disorderMs + 1);
const triple = (i) => [i, random(i, 0), random(i, 1)];
function purchase(i, keys) {
  const key = below(random(i, 0), keys);
  const label = below(random(i, 1), 1000);
  return [
    key % 100 === 7 ? `ключ-${key}` : `user-${key}`,
    label % 100 === 7 ? `标签-${label}` : `label-${label}`,
    time(i, 100, 5000, 2),
    below(random(i, 3), 1000),
    below(random(i, 4), 10),
    below(random(i, 5), 10000) / 100,
  ];
}
const reading = (i, keys, perMs, salt) => [
  i,
  below(random(i, salt), keys),
  time(i, perMs, 1000, salt + 2),
  below(random(i, salt + 1), 1000),
];
const payloads = Array.from({ length: 1024 }, (_, p) =>
  String.fromCharCode(...Array.from({ length: 88 }, (_, j) => 33 + below(random(p * 88 + j, 7), 94))),
);
const payload = (i) => [i, random(i, 0), payloads[random(i, 1) & 1023]];
const wordId = (n) => below(random(n, 0), below(random(n, 1), 100_000) + 1);
function word(id) {
  let text = id % 100 === 7 ? "ж" : "";
  let rest = id;
  do {
    text += String.fromCharCode(97 + (rest % 26));
    rest = Math.floor(rest / 26);
  } while (rest > 0);
  return text;
}

/** Sums a value under a compound key. */
function tally(map, key, initial) {
  let entry = map.get(key);
  if (entry === undefined) map.set(key, (entry = initial()));
  return entry;
}

const works = {
  "stateless-chain": {
    samples: () => Array.from({ length: 10 }, (_, i) => triple(i)),
    run(records, out) {
      for (let i = 0; i < records; i++) {
        const [index, first, b] = triple(i);
        let a = (first + b) | 0;
        if ((a & 7) === 0) continue;
        a = (Math.imul(a, 31) + (b >>> 16)) | 0;
        const emit = (value) => out.add(fold(fold(start, index), value ^ (value >>> 15)));
        emit(a);
        if ((b & 3) === 0) emit(a ^ 0x5bd1e995);
      }
    },
  },
  "keyed-tumbling": {
    samples: () => Array.from({ length: 10 }, (_, i) => purchase(i, 100_000)),
    run(records, out) {
      const sums = new Map();
      for (let i = 0; i < records; i++) {
        const [key, , at, amount] = purchase(i, 100_000);
        const end = at - (at % 60_000) + 60_000;
        tally(sums, `${end} ${key}`, () => ({ key, end, sum: 0 })).sum += amount;
      }
      for (const { key, end, sum } of sums.values()) out.add(foldLong(foldLong(foldText(start, key), end), sum));
    },
  },
  "sliding-60-1": {
    samples: () => Array.from({ length: 10 }, (_, i) => reading(i, 1000, 10, 0)),
    run(records, out) {
      const sums = new Map();
      for (let i = 0; i < records; i++) {
        const [, key, at, value] = reading(i, 1000, 10, 0);
        const slice = at - (at % 1000) + 1000;
        for (let end = slice; end < slice + 60_000; end += 1000) {
          tally(sums, key * 1e9 + end, () => ({ key, end, sum: 0 })).sum += value;
        }
      }
      for (const { key, end, sum } of sums.values()) out.add(foldLong(foldLong(fold(start, key), end), sum));
    },
  },
  session: {
    samples: () => Array.from({ length: 10 }, (_, i) => reading(i, 100_000, 100, 0)),
    run(records, out) {
      const byKey = new Map();
      for (let i = 0; i < records; i++) {
        const [, key, at, value] = reading(i, 100_000, 100, 0);
        tally(byKey, key, () => []).push([at, value]);
      }
      for (const [key, events] of byKey) {
        events.sort((a, b) => a[0] - b[0]);
        let from = 0;
        for (let i = 1; i <= events.length; i++) {
          if (i < events.length && events[i][0] <= events[i - 1][0] + 3000) continue;
          const sum = events.slice(from, i).reduce((total, event) => total + event[1], 0);
          const ends = foldLong(foldLong(fold(start, key), events[from][0]), events[i - 1][0] + 3000);
          out.add(foldLong(foldLong(ends, i - from), sum));
          from = i;
        }
      }
    },
  },
  "interval-join": {
    samples: () => [0, 8].flatMap((salt) => Array.from({ length: 5 }, (_, i) => reading(i, 10_000, 10, salt))),
    run(records, out) {
      const right = new Map();
      for (let i = 0; i < records / 2; i++) {
        const record = reading(i, 10_000, 10, 8);
        tally(right, record[1], () => []).push(record);
      }
      for (let i = 0; i < records / 2; i++) {
        const [index, key, at, value] = reading(i, 10_000, 10, 0);
        for (const [otherIndex, , otherAt, otherValue] of right.get(key) ?? []) {
          if (Math.abs(otherAt - at) > 500) continue;
          const ids = fold(fold(fold(start, key), index), otherIndex);
          out.add(fold(foldLong(ids, Math.max(at, otherAt)), value + otherValue));
        }
      }
    },
  },
  "process-timers": {
    samples: () => Array.from({ length: 10 }, (_, i) => reading(i, 100_000, 100, 0)),
    run(records, out) {
      const buckets = new Map();
      for (let i = 0; i < records; i++) {
        const [, key, at, value] = reading(i, 100_000, 100, 0);
        const end = at - (at % 10_000) + 10_000;
        const bucket = tally(buckets, key * 1e9 + end, () => ({ key, end, count: 0, sum: 0 }));
        bucket.count += 1;
        bucket.sum += value;
      }
      for (const { key, end, count, sum } of buckets.values()) {
        out.add(foldLong(foldLong(foldLong(fold(start, key), end), count), sum));
      }
    },
  },
  "rebalance-100b": {
    samples: () => Array.from({ length: 10 }, (_, i) => payload(i)),
    run(records, out) {
      for (let i = 0; i < records; i++) {
        const [index, a, text] = payload(i);
        out.add(foldText(fold(fold(start, index), (a + 1) | 0), text));
      }
    },
  },
  "word-count-file": {
    samples: () => Array.from({ length: 10 }, (_, n) => [n, wordId(n), word(wordId(n))]),
    run(records, out) {
      const counts = new Map();
      for (let n = 0; n < records; n++) {
        const text = word(wordId(n));
        const count = (counts.get(text) ?? 0) + 1;
        counts.set(text, count);
        out.add(fold(foldText(start, text), count));
      }
    },
  },
};

const golden = JSON.parse(readFileSync(join(import.meta.dirname, "golden.json"), "utf8"));
let failed = 0;
for (const [name, work] of Object.entries(works)) {
  const { records } = golden[name];
  const out = new Checksum();
  work.run(records, out);
  const computed = { records, outputs: out.outputs, checksum: out.sum, samples: work.samples() };
  if (process.argv.includes("--print")) console.log(name, JSON.stringify(computed));
  for (const field of ["samples", "outputs", "checksum"]) {
    const [want, got] = [golden[name][field], computed[field]].map((value) => JSON.stringify(value));
    if (want === got) continue;
    failed += 1;
    console.log(`✗ ${name} ${field}: golden ${want}, computed ${got}`);
  }
}
console.log(failed === 0 ? `${Object.keys(works).length} generators agree with golden.json` : `${failed} differences`);
process.exitCode = failed === 0 ? 0 : 1;
