const TIMESTAMP = /^(\d{4,6})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?(?:Z|[+]00(?::?00)?)?( BC)?$/;

/** Days from 1970-01-01 in the proleptic Gregorian calendar. Year 0 is 1 BC. Howard Hinnant, "chrono-compatible low-level date algorithms". */
export function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}

/** The date of a day: the inverse of {@link daysOf}. */
export function dateOfDays(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor((dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1 };
}

/** Microseconds since 1970 of a time stamp's text, which counts as UTC. @throws for infinities and what is no time stamp */
export function microsOf(text: string): bigint {
  const match = TIMESTAMP.exec(text);
  // The databases that have month 0 and day 0 mean no day by it.
  if (match === null || match[2] === "00" || match[3] === "00") throw new Error("it is no point in time");
  const [, year, month, day, hours, minutes, seconds, fraction = "", bc] = match;
  const days = daysOf(bc === undefined ? Number(year) : 1 - Number(year), Number(month), Number(day));
  return BigInt(days * 86_400 + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1_000_000n + BigInt(fraction.padEnd(6, "0"));
}

const pad = (value: number, digits: number): string => String(value).padStart(digits, "0");

/** `2024-01-02T03:04:05.000006`, without a trailing fraction of zero; years before 1 with ` BC`. */
export function timestampText(micros: bigint): string {
  const day = 86_400_000_000n;
  let rest = micros % day;
  let days = micros / day;
  if (rest < 0n) {
    rest += day;
    days -= 1n;
  }
  const seconds = Number(rest / 1_000_000n);
  const fraction = Number(rest % 1_000_000n);
  const time = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  const { date, bc } = dateText(Number(days));
  return `${date}T${time}${fraction === 0 ? "" : `.${pad(fraction, 6).replace(/0+$/, "")}`}${bc}`;
}

const MINUTE_MS = 60_000;
const FIRST_PLAIN_MS = daysOf(1, 1, 1) * 86_400_000;
const FIRST_LATE_MS = daysOf(10_000, 1, 1) * 86_400_000;
const TWO_DIGITS: readonly string[] = Array.from({ length: 60 }, (_, i) => pad(i, 2));
const FRACTIONS: readonly string[] = Array.from({ length: 1000 }, (_, i) => (i === 0 ? "" : `.${pad(i, 3).replace(/0+$/, "")}`));
let minute = Number.NaN;
let minuteText = "";

/** `2024-01-02 03:04:05.006` of epoch milliseconds, as {@link timestampText} has it; `undefined` for what is no integer, and outside of the years 1 to 9999. */
export function millisText(ms: number): string | undefined {
  if (!(ms >= FIRST_PLAIN_MS && ms < FIRST_LATE_MS && Number.isInteger(ms))) return undefined;
  const at = Math.floor(ms / MINUTE_MS);
  // Time stamps of neighbours are mostly of the same minute.
  if (at !== minute) {
    minute = at;
    const days = Math.floor(at / 1440);
    const ofDay = at - days * 1440;
    minuteText = `${dateText(days).date} ${TWO_DIGITS[Math.floor(ofDay / 60)]}:${TWO_DIGITS[ofDay % 60]}:`;
  }
  const rest = ms - at * MINUTE_MS;
  const seconds = Math.floor(rest / 1000);
  return minuteText + (TWO_DIGITS[seconds]! + FRACTIONS[rest - seconds * 1000]!);
}

/** The text of a day, and ` BC` where it belongs behind it. */
export function dateText(days: number): { readonly date: string; readonly bc: string } {
  const { year, month, day } = dateOfDays(days);
  return { date: `${pad(year > 0 ? year : 1 - year, 4)}-${pad(month, 2)}-${pad(day, 2)}`, bc: year > 0 ? "" : " BC" };
}
