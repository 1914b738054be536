import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH, csvRows, groupBy, printedBy, sorted, STREAMING } from "./run-example.js";

interface Reading {
  readonly sensorId: string;
  readonly ms: number;
  readonly temperature: number;
}
const readings: readonly Reading[] = csvRows("sensor-readings.csv").map(([sensorId, time, temperature]) => ({ sensorId: sensorId!, ms: Date.parse(time!), temperature: Number(temperature) }));
const inOrderOfTime = [...readings].sort((a, b) => a.ms - b.ms);

const MINUTE_MS = 60_000;
const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS) * MINUTE_MS;
const hhmm = (ms: number): string => new Date(ms).toISOString().slice(11, 16);

test("average sensor readings: every minute of every sensor", async () => {
  const expected = [...groupBy(readings, (r) => `${hhmm(minuteOf(r.ms))} ${r.sensorId}`)].map(([window, of]) => {
    const average = of.reduce((sum, { temperature }) => sum + temperature, 0) / of.length;
    return { window, average, count: of.length };
  });
  for (const options of [STREAMING, BATCH]) {
    const actual = (await printedBy("average-sensor-readings", options)).map((line) => /^(\S+ \S+) (\S+) °C of (\d+) readings$/.exec(line)!);
    assert.deepEqual(sorted(actual.map(([, window, , count]) => `${window} ${count}`)), sorted(expected.map(({ window, count }) => `${window} ${count}`)));
    // The order of addition may differ, and with it the last digit before rounding.
    for (const [, window, average] of actual) assert.ok(Math.abs(Number(average) - expected.find((e) => e.window === window)!.average) < 0.0051, window);
  }
});

test("temperature alert: one line when a sensor becomes too hot, one when it has cooled down", async () => {
  const expected = [...groupBy(readings, (r) => r.sensorId).values()].flatMap((of) => {
    let wasHot = false;
    return of.flatMap(({ sensorId, ms, temperature }) => {
      if (temperature > 72 === wasHot) return [];
      wasHot = !wasHot;
      return `${new Date(ms).toISOString()} ${sensorId} ${wasHot ? "TOO HOT" : "cooled down"}: ${temperature.toFixed(2)} °C`;
    });
  });
  assert.ok(expected.length > 100);
  for (const options of [STREAMING, BATCH]) assert.deepEqual(sorted(await printedBy("temperature-alert", options, ["--threshold", "72"])), sorted(expected));
});

test("fire alarm: hot readings while the smoke level was high", async () => {
  const levels = csvRows("smoke-levels.csv").map(([time, level]) => ({ ms: Date.parse(time!), level: level! }));
  const expected = readings
    .filter(({ ms, temperature }) => temperature > 80 && levels.findLast((smoke) => smoke.ms <= ms)?.level === "HIGH")
    .map(({ sensorId, ms, temperature }) => `${new Date(ms).toISOString()} FIRE? ${sensorId} ${temperature.toFixed(2)} °C in smoke`);
  assert.ok(expected.length > 0);
  for (const options of [STREAMING, BATCH]) assert.deepEqual(sorted(await printedBy("fire-alarm", options)), sorted(expected));
});

test("late data: windows fire, fire again for late readings, and leave the latest to the side output", async () => {
  assert.deepEqual(sorted(await printedBy("late-data", STREAMING)), sorted(lateData()));
});

test("late data: nothing is late in batch mode", async () => {
  const hottest = [...groupBy(inOrderOfTime, (r) => `${hhmm(minuteOf(r.ms))} ${r.sensorId}`)]
    .map(([window, of]) => `${window} ${Math.max(...of.map((r) => r.temperature)).toFixed(2)} °C`);
  assert.deepEqual(sorted(await printedBy("late-data", BATCH)), sorted(hottest));
});

/** Watermark, windows and lateness by hand, reading by reading. */
function lateData(): string[] {
  const lines: string[] = [];
  const windows = new Map<string, { readonly sensorId: string; readonly startMs: number; hottest: number; firings: number }>();
  let watermark = Number.NEGATIVE_INFINITY;
  const fire = (window: { readonly sensorId: string; readonly startMs: number; hottest: number; firings: number }): void => {
    lines.push(`${hhmm(window.startMs)} ${window.sensorId} ${window.hottest.toFixed(2)} °C${window.firings === 0 ? "" : `, update ${window.firings}`}`);
    window.firings++;
  };
  for (const { sensorId, ms, temperature } of [...readings, undefined].map((r) => r ?? { sensorId: "", ms: Number.POSITIVE_INFINITY, temperature: 0 })) {
    const startMs = minuteOf(ms);
    const lastMs = startMs + MINUTE_MS - 1;
    if (lastMs + 15_000 <= watermark) lines.push(`late> ${sensorId} ${new Date(ms).toISOString()} came too late`);
    else if (sensorId !== "") {
      const key = `${sensorId} ${startMs}`;
      const window = windows.get(key) ?? { sensorId, startMs, hottest: Number.NEGATIVE_INFINITY, firings: 0 };
      windows.set(key, window);
      window.hottest = Math.max(window.hottest, temperature);
      if (lastMs <= watermark) fire(window);
    }
    watermark = Math.max(watermark, ms - 5000 - 1);
    for (const window of windows.values()) if (window.firings === 0 && window.startMs + MINUTE_MS - 1 <= watermark) fire(window);
  }
  assert.ok(lines.some((line) => line.includes("update")) && lines.some((line) => line.startsWith("late>")), "the data has both kinds of late readings");
  return lines;
}
