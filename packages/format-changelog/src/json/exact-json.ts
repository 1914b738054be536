/** Integers beyond ±(2^53 − 1), which `JSON.parse` would round, have at least this many digits. */
const MAY_BE_LARGE = /\d{16}/;
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Parses JSON; integers that no `number` holds become `bigint`. @throws SyntaxError */
export function parseExact(text: string): unknown {
  // Before anything is changed, so that positions in errors are right.
  const rounded: unknown = JSON.parse(text);
  if (!MAY_BE_LARGE.test(text)) return rounded;
  const mark = unusedMark(text);
  let hasLarge = false;
  const marked = text.replace(TOKEN, (token) => {
    if (token.startsWith('"') || !/^-?\d+$/.test(token) || Number.isSafeInteger(Number(token))) return token;
    hasLarge = true;
    return JSON.stringify(mark + token);
  });
  if (!hasLarge) return rounded;
  return JSON.parse(marked, (_key, value: unknown) => (typeof value === "string" && value.startsWith(mark) ? BigInt(value.slice(mark.length)) : value));
}

/** Writes JSON; a `bigint` becomes a number of as many digits. @throws TypeError for circles, and for what has no form in JSON */
export function stringifyExact(value: unknown): string {
  let hasBigint = false;
  const text = JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part !== "bigint") return part;
    hasBigint = true;
    return 0;
  }) as string | undefined;
  if (text === undefined) throw new TypeError(`${typeof value} has no form in JSON`);
  if (!hasBigint) return text;
  const mark = unusedMark(text);
  const marked = JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? mark + part.toString() : part));
  return marked.replace(new RegExp(`"\\\\u0001${mark.slice(1)}(-?\\d+)"`, "g"), "$1");
}

/** What strings that stand for a bigint begin with: nothing in the text does. JSON has control characters in their escaped form only. */
function unusedMark(text: string): string {
  for (let n = 0; ; n++) if (!text.includes(`\\u0001${n}:`)) return `\u0001${n}:`;
}
