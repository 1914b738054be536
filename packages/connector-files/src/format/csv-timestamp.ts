const MS_PER_DAY = 86_400_000;
const MAX_EPOCH_MS = 8.64e15;

/**
 * Epoch milliseconds of `yyyy-MM-dd` or `yyyy/MM/dd`, optionally with ` ` or `T` and `HH:mm[:ss[.fraction]]`, optionally with `Z` or an offset; or of
 * integer epoch milliseconds of at least nine digits. Without an offset it is UTC, so that all machines agree. `undefined` for anything else.
 *
 * By hand and not by `Date.parse`, which takes local time for some of these, accepts 31 February, and is an order of magnitude slower than this.
 */
export function toTimestamp(text: string): number | undefined {
  const separator = text.charCodeAt(4);
  if (text.length < 10 || (separator !== 45 && separator !== 47)) return epochMs(text);
  const year = twoDigits(text, 0) * 100 + twoDigits(text, 2);
  const month = twoDigits(text, 5);
  const day = twoDigits(text, 8);
  // Comparisons with NaN, from what is not a digit, are false.
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)) || text.charCodeAt(7) !== separator) return undefined;
  const midnight = epochDay(year, month, day) * MS_PER_DAY;
  return text.length === 10 ? midnight : addTimeOfDay(text, midnight);
}

function addTimeOfDay(text: string, midnight: number): number | undefined {
  const between = text.charCodeAt(10);
  const hour = twoDigits(text, 11);
  const minute = twoDigits(text, 14);
  if ((between !== 84 && between !== 32) || text.charCodeAt(13) !== 58 || !(hour <= 23 && minute <= 59)) return undefined;
  let ms = midnight + hour * 3_600_000 + minute * 60_000;
  let at = 16;
  if (text.charCodeAt(at) === 58) {
    const second = twoDigits(text, at + 1);
    if (!(second <= 59)) return undefined;
    ms += second * 1000;
    at += 3;
    if (text.charCodeAt(at) === 46 || text.charCodeAt(at) === 44) {
      const start = ++at;
      for (let unit = 100; isDigit(text.charCodeAt(at)); unit /= 10) {
        if (unit >= 1) ms += (text.charCodeAt(at) - 48) * unit;
        at++;
      }
      if (at === start || at > start + 9) return undefined;
    }
  }
  const offset = at === text.length ? 0 : offsetMs(text, at);
  return offset === undefined ? undefined : ms - offset;
}

/** `Z`, `+HH`, `+HHmm` or `+HH:mm` from `at` to the end. */
function offsetMs(text: string, at: number): number | undefined {
  const sign = text.charCodeAt(at);
  if (sign === 90 || sign === 122) return at + 1 === text.length ? 0 : undefined;
  if (sign !== 43 && sign !== 45) return undefined;
  const rest = text.length - at;
  const minutes = rest === 3 ? 0 : rest === 5 ? twoDigits(text, at + 3) : rest === 6 && text.charCodeAt(at + 3) === 58 ? twoDigits(text, at + 4) : Number.NaN;
  const hours = twoDigits(text, at + 1);
  if (!(hours <= 18 && minutes <= 59)) return undefined;
  return (sign === 45 ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function epochMs(text: string): number | undefined {
  if (!/^-?\d{9,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Math.abs(value) <= MAX_EPOCH_MS ? value : undefined;
}

/** The number of two digits, or NaN. */
function twoDigits(text: string, at: number): number {
  const tens = text.charCodeAt(at);
  const ones = text.charCodeAt(at + 1);
  return isDigit(tens) && isDigit(ones) ? (tens - 48) * 10 + ones - 48 : Number.NaN;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function daysOf(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days since 1970-01-01 in the Gregorian calendar. Howard Hinnant, "chrono-compatible low-level date algorithms", days_from_civil. */
function epochDay(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468;
}
