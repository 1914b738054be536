import { MillraceError } from "../errors/millrace-error.js";

declare const durationBrand: unique symbol;
/** A duration in milliseconds. Branded, so that a bare number of seconds cannot pass for one by accident; make one with {@link duration}. */
export type Duration = number & { readonly [durationBrand]?: "ms" };

/** What every API that takes a duration accepts: milliseconds, or text such as `"10 s"`, `"5 min"`, `"1 h 30 min"`. */
export type DurationLike = Duration | `${number}${string}`;

const unitMs: Readonly<Record<string, number>> = {
  ms: 1, milli: 1, millis: 1, millisecond: 1, milliseconds: 1,
  s: 1000, sec: 1000, secs: 1000, second: 1000, seconds: 1000,
  m: 60_000, min: 60_000, mins: 60_000, minute: 60_000, minutes: 60_000,
  h: 3_600_000, hour: 3_600_000, hours: 3_600_000,
  d: 86_400_000, day: 86_400_000, days: 86_400_000,
};

/**
 * Parses a duration.
 *
 * Numbers are milliseconds. Text is one or more `<number> <unit>` with Flink's units (ms, s, min, h, d and their long forms).
 * @throws `DURATION_INVALID` for anything else: not finite, negative, an unknown unit, or a result that is not an integer number of milliseconds.
 */
export function duration(value: DurationLike): Duration {
  const ms = typeof value === "number" ? value : parseText(value);
  if (!Number.isSafeInteger(ms) || ms < 0) throw invalid(value);
  return ms;
}

function parseText(text: string): number {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)\s*/giy)];
  if (parts.length === 0 || parts.map((p) => p[0]).join("") !== text.trim()) return Number.NaN;
  let total = 0;
  for (const [, amount, unit] of parts) total += Number(amount) * (unit === "" ? 1 : (unitMs[unit!.toLowerCase()] ?? Number.NaN));
  return Math.abs(total - Math.round(total)) < 1e-6 ? Math.round(total) : Number.NaN;
}

function invalid(value: unknown): MillraceError {
  return new MillraceError({
    code: "DURATION_INVALID",
    message: `"${String(value)}" is not a duration`,
    hint: 'write milliseconds as a number, or text such as "10 s", "5 min", "1 h 30 min", "200 ms"',
  });
}
