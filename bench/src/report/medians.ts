import type { Medians, Sample } from "../work.js";

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function mediansOf(samples: readonly Sample[]): Medians {
  const of = (field: "records" | "seconds" | "cpuSeconds" | "peakRssKb" | "outputs" | "checksum"): number => median(samples.map((sample) => sample[field]));
  const names = [...new Set(samples.flatMap((sample) => Object.keys(sample.extras)))];
  return {
    records: of("records"), seconds: of("seconds"), cpuSeconds: of("cpuSeconds"), peakRssKb: of("peakRssKb"), outputs: of("outputs"), checksum: of("checksum"),
    recordsPerSecond: median(samples.map((sample) => sample.records / sample.seconds)),
    extras: Object.fromEntries(names.map((name) => [name, median(samples.flatMap((sample) => sample.extras[name] ?? []))])),
  };
}
