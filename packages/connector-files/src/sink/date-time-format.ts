import { MillraceError } from "@millrace/core";

const TOKENS = { yyyy: 0, MM: 1, dd: 2, HH: 3, mm: 4, ss: 5 } as const;
const CACHED_SECONDS = 256;

/**
 * Compiles a pattern of `yyyy MM dd HH mm ss` to a function of epoch milliseconds. Other letters must be in single quotes.
 *
 * Remembers the texts of the last seconds it saw: a sink asks for the same few again and again.
 * @throws `OPTION_INVALID` for a bad pattern or an unknown time zone.
 */
export function dateTimeFormatter(pattern: string, timeZone: string = "UTC"): (epochMs: number) => string {
  const pieces = parsePattern(pattern);
  const fields = fieldReader(timeZone);
  const cache = new Map<number, string>();
  return (epochMs) => {
    const second = Math.floor(epochMs / 1000);
    let text = cache.get(second);
    if (text === undefined) {
      const values = fields(second * 1000);
      text = pieces.map((piece) => (typeof piece === "string" ? piece : values[piece]!)).join("");
      if (cache.size >= CACHED_SECONDS) cache.clear();
      cache.set(second, text);
    }
    return text;
  };
}

function parsePattern(pattern: string): (string | number)[] {
  const pieces = pattern.match(/'[^']*'|yyyy|MM|dd|HH|mm|ss|[^A-Za-z']/g) ?? [];
  if (pieces.length === 0 || pieces.join("") !== pattern) {
    throw new MillraceError({
      code: "OPTION_INVALID", message: `"${pattern}" is not a date format`, hint: "use yyyy MM dd HH mm ss, and single quotes around other text", location: { option: "format" },
    });
  }
  return pieces.map((piece) => (Object.hasOwn(TOKENS, piece) ? TOKENS[piece as keyof typeof TOKENS] : piece.startsWith("'") ? piece.slice(1, -1) : piece));
}

function fieldReader(timeZone: string): (epochMs: number) => readonly string[] {
  if (timeZone === "UTC") {
    return (epochMs) => {
      const date = new Date(epochMs);
      const two = (n: number): string => String(n).padStart(2, "0");
      return [
        String(date.getUTCFullYear()).padStart(4, "0"), two(date.getUTCMonth() + 1), two(date.getUTCDate()),
        two(date.getUTCHours()), two(date.getUTCMinutes()), two(date.getUTCSeconds()),
      ];
    };
  }
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-US", {
      timeZone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
    });
  } catch (cause) {
    throw new MillraceError({
      code: "OPTION_INVALID", message: `"${timeZone}" is not a time zone`, hint: 'use an IANA name such as "Europe/Berlin"', location: { option: "timeZone" }, cause,
    });
  }
  return (epochMs) => {
    const parts = new Map(format.formatToParts(epochMs).map((part) => [part.type, part.value]));
    return [parts.get("year")!.padStart(4, "0"), parts.get("month")!, parts.get("day")!, parts.get("hour")!, parts.get("minute")!, parts.get("second")!];
  };
}
