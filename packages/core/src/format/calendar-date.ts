const DAY_MS = 86_400_000;

/** The ISO 8601 text of a day counted from 1970-01-01: `isoOfEpochDay(0)` is `"1970-01-01"`; years outside 0 to 9999 have a sign and six digits. */
export function isoOfEpochDay(day: number): string {
  const text = new Date(day * DAY_MS).toISOString();
  return text.slice(0, text.indexOf("T"));
}

/** The day, counted from 1970-01-01, of `"yyyy-MM-dd"` or a `Date` (its day in UTC). `undefined` for anything else. */
export function epochDayOf(value: unknown): number | undefined {
  const ms = value instanceof Date ? value.getTime() : typeof value === "string" && /^(?:\d{4}|[+-]\d{6})-\d\d-\d\d$/.test(value) ? Date.parse(`${value}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(ms)) return undefined;
  const day = Math.floor(ms / DAY_MS);
  // The parser takes February 30th for March 1st.
  return typeof value === "string" && isoOfEpochDay(day) !== value ? undefined : day;
}
