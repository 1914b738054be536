import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { BATCH, printedBy, STREAMING } from "./run-example.js";

const HOUR_MS = 3_600_000;
const MAX_DISORDER_MS = 2 * HOUR_MS;

interface Flight {
  readonly scheduledMs: number;
  readonly carrier: string;
  readonly delayMinutes: number;
}
interface Sum {
  flights: number;
  late: number;
  tooLate: number;
}

const flights: readonly Flight[] = gunzipSync(readFileSync(new URL("../data/flights-2013.csv.gz", import.meta.url))).toString().trimEnd().split("\n").slice(1).map((line) => {
  const [scheduled, , carrier, , , , delay] = line.split(",");
  return { scheduledMs: Date.parse(scheduled!), carrier: carrier!, delayMinutes: Number(delay) };
});

/** The whole job as one loop. In streaming mode an hour is closed once the schedule has moved on by more than the disorder that is waited for. */
function compute(isBatch: boolean): { hours: Map<string, Sum>; carriers: Map<string, Sum> } {
  const hours = new Map<string, Sum>();
  const carriers = new Map<string, Sum>();
  const sumOf = (sums: Map<string, Sum>, key: string): Sum => {
    if (!sums.has(key)) sums.set(key, { flights: 0, late: 0, tooLate: 0 });
    return sums.get(key)!;
  };
  let newestMs = 0;
  for (const { scheduledMs, carrier, delayMinutes } of flights) {
    const startMs = Math.floor(scheduledMs / HOUR_MS) * HOUR_MS;
    if (!isBatch && startMs + HOUR_MS - 1 <= newestMs - MAX_DISORDER_MS - 1) sumOf(carriers, carrier).tooLate++;
    else {
      for (const sum of [sumOf(hours, `${new Date(startMs).toISOString().slice(0, 16).replace("T", " ")} ${carrier}`), sumOf(carriers, carrier)]) {
        sum.flights++;
        if (delayMinutes > 15) sum.late++;
      }
    }
    newestMs = Math.max(newestMs, scheduledMs - (scheduledMs % 600_000));
  }
  return { hours, carriers };
}

const names: Readonly<Record<string, string>> = { UA: "United", B6: "JetBlue", EV: "ExpressJet", DL: "Delta", AA: "American" };

for (const [mode, options] of [["streaming", STREAMING], ["batch", BATCH]] as const) {
  test(`late flights in ${mode} mode agree with a plain loop over the file`, async () => {
    const { hours, carriers } = compute(mode === "batch");
    const lines = await printedBy("late-flights", options);

    const shown = lines.flatMap((line) => /^(\d{4}-\d\d-\d\d \d\d:\d\d) {2}(\S.*?) +(\d+) of +(\d+) late/.exec(line)?.slice(1).join("|") ?? []);
    const expected = [...hours].filter(([, { flights, late }]) => flights >= 12 && late / flights >= 0.9)
      .map(([hour, { flights, late }]) => [hour.slice(0, 16), names[hour.slice(17)] ?? hour.slice(17), late, flights].join("|"));
    assert.ok(expected.length > 20, "the hours that are shown are a fair part");
    assert.deepEqual(shown.sort(), expected.sort());

    const rows = new Map(lines.flatMap((line) => {
      const row = /^(\S.*?) +(\d+) +(\d+) +(\d+) {3} *(\d+) % █*$/.exec(line);
      return row === null ? [] : [[row[1]!, row.slice(2).map(Number)]];
    }));
    assert.equal(rows.size, carriers.size + 1);
    const all = [...carriers.values()].reduce((a, b) => ({ flights: a.flights + b.flights, late: a.late + b.late, tooLate: a.tooLate + b.tooLate }));
    const cells = ({ flights, late, tooLate }: Sum): number[] =>
      [flights + tooLate, late + tooLate, tooLate, Number((((late + tooLate) / (flights + tooLate)) * 100).toFixed(0))];
    assert.deepEqual(rows.get("all"), cells(all));
    for (const [code, name] of Object.entries(names)) assert.deepEqual(rows.get(name), cells(carriers.get(code)!), name);

    assert.equal(rows.get("all")![0], 328_521);
    assert.equal(all.tooLate > 0, mode === "streaming", "nothing is too late in batch mode");
  });
}
